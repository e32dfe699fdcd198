#include "worker/routes/query.h"

#include <algorithm>
#include <vector>

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

/// Takes the first "key=value" off a query.
std::string_view take_pair(std::string_view& query) {
  const std::string_view pair = query.substr(0, query.find('&'));
  query.remove_prefix(std::min(pair.size() + 1, query.size()));
  return pair;
}

std::optional<std::string> key_of(std::string_view pair) {
  return decode_percent(pair.substr(0, pair.find('=')));
}

}  // namespace

std::optional<std::string> query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = take_pair(query);
    if (key_of(pair) != key) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    return without_pluses(pair.substr(std::min(equals + 1, pair.size())));
  }
  return {};
}

bool has_only(std::string_view query, std::span<const std::string_view> keys) {
  std::vector<std::string_view> left(keys.begin(), keys.end());
  while (!query.empty()) {
    const std::string_view pair = take_pair(query);
    if (!pair.empty() && std::erase(left, key_of(pair)) == 0) return false;
  }
  return true;
}

}  // namespace forklift
