#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace forklift::testing {

inline constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 (RFC 4648, section 4), as it is written there; `slash` stands for the '/' of the alphabet, which
/// JSON may escape.
inline std::string base64_of(std::string_view bytes, std::string_view slash = "/") {
  std::string text;
  text.reserve(bytes.size() / 3 * 4 + 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const char c = i <= group.size() ? kBase64Alphabet[bits >> (18 - 6 * i) & 63] : '=';
      text += c == '/' ? slash : std::string_view(&c, 1);
    }
  }
  return text;
}

}  // namespace forklift::testing
