#include "worker/routes/query.h"

#include <algorithm>

#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

std::string without_pluses(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (const char c : value) {
    if (c == '+') {
      out += "%20";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (decode_percent(pair.substr(0, equals)) != key) continue;
    return without_pluses(pair.substr(std::min(equals + 1, pair.size())));
  }
  return {};
}

}  // namespace forklift
