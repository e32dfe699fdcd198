#pragma once

#include <cstddef>
#include <string_view>

#include "common/result.h"

namespace forklift {

/// The quote that ends the string whose inside begins at `begin`, or npos. Linear in the string. Pure.
std::size_t end_of_string(std::string_view body, std::size_t begin);

/// Where the longest string of a JSON body stands: its inside, escapes and all.
struct JsonHole {
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// Finds it by nothing but the quotes, so that whoever parses the rest needs no tables for all of a large
/// body; what is no JSON may give any range between two quotes. kBodyTooLarge where more than
/// `beside_bytes_max` stand beside it (told after little more than so many bytes outside of long strings),
/// kBadBody where a string has no end. Pure; any thread.
Result<JsonHole> find_longest_string(std::string_view body, std::size_t beside_bytes_max);

}  // namespace forklift
