#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace forklift {

/// Of a byte that is not in the alphabet.
inline constexpr std::uint8_t kNoBase64 = 0x80;

/// What a character of the alphabet of RFC 4648, section 4, stands for.
inline constexpr std::array<std::uint8_t, 256> kBase64Values = [] {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kNoBase64;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

inline std::uint8_t base64_value(char c) { return kBase64Values[static_cast<unsigned char>(c)]; }

/// How many of these groups of four stand before the first with a byte that is not in the alphabet.
std::size_t base64_groups_before_fault(const char* text, std::size_t groups);

/// Decodes groups that hold nothing but the alphabet.
void decode_base64_groups(const char* text, std::size_t groups, std::byte* out);

}  // namespace forklift
