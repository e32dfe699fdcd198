#pragma once

#include <string>
#include <string_view>

namespace forklift {

/// The bytes for which `plain` holds as they are, every other one as %XX (RFC 3986, 2.1).
template <typename Plain>
void append_percent_encoded(std::string& out, std::string_view text, Plain plain) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  for (const char byte : text) {
    if (plain(byte)) {
      out += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    out += '%';
    out += kHexDigits[value >> 4];
    out += kHexDigits[value & 15];
  }
}

}  // namespace forklift
