#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "common/limits.h"

namespace forklift::testing {

/// `size` bytes in which no stretch repeats, so that bytes lost, doubled or swapped show.
inline std::string body_of(std::size_t size, std::uint64_t seed = 0x9e3779b97f4a7c15) {
  std::string body(size, '\0');
  std::uint64_t state = seed | 1;
  for (std::size_t at = 0; at < size; at += sizeof state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(body.data() + at, &state, std::min(sizeof state, size - at));
  }
  return body;
}

/// Sizes at which something changes.
inline constexpr std::size_t kBodySizes[] = {
    0, 1, kSlabBytes - 1, kSlabBytes, kSlabBytes + 1, 2 * kSlabBytes, 3 * 1024 * 1024 + 17};

}  // namespace forklift::testing
