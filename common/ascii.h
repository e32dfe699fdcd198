#pragma once

#include <algorithm>
#include <string_view>

namespace forklift {

/// Of ASCII letters only, whatever the locale.
constexpr char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

/// ASCII case folding, as header field names and tokens compare (RFC 9110, 5.1).
inline bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace forklift
