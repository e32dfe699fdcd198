#include "worker/http/content_coding.h"

#include <algorithm>
#include <string_view>

#include "common/ascii.h"

namespace forklift {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t") + 1;
  return text.substr(begin, std::max(begin, end) - begin);
}

bool names_a_coding(std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view coding = trimmed(list.substr(0, comma));
    if (!coding.empty() && !equal_ignoring_case(coding, "identity")) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

bool has_content_coding(const RequestHead& head) {
  return std::any_of(head.fields.begin(), head.fields.end(), [](const HeaderField& field) {
    return equal_ignoring_case(field.name, "Content-Encoding") && names_a_coding(field.value);
  });
}

}  // namespace forklift
