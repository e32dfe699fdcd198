#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace forklift::micro {

inline constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The same `size` bytes in every run: picked from `alphabet`, or any where that is empty.
inline std::string noise(std::size_t size, std::string_view alphabet = {}) {
  std::minstd_rand random;
  std::string text(size, ' ');
  for (char& byte : text) {
    const auto drawn = static_cast<std::size_t>(random() >> 8);
    byte = alphabet.empty() ? static_cast<char>(drawn) : alphabet[drawn % alphabet.size()];
  }
  return text;
}

}  // namespace forklift::micro
