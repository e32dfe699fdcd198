#include "worker/upload/base64.h"

#include <algorithm>
#include <array>

#include "worker/upload/base64_groups.h"

namespace forklift {

namespace {

/// More than any buffer has; libb64 counts in int.
constexpr std::size_t kGroupsMax = std::size_t{1} << 28;

std::size_t first_outside_alphabet(std::string_view text) {
  const auto* found =
      std::find_if(text.begin(), text.end(), [](char c) { return base64_value(c) == kNoBase64; });
  return static_cast<std::size_t>(found - text.begin());
}

/// Decodes a group that is not four characters of the alphabet: padded as it should be, or faulty.
Base64Step decode_odd_group(std::string_view group, std::byte* out) {
  const std::size_t values = first_outside_alphabet(group);
  if (values < 2 || group[values] != '=') return {.fault = values};
  if (group[3] != '=') return {.fault = 3};
  const unsigned bits_over = values == 2 ? 0x0fu : 0x03u;
  if ((base64_value(group[values - 1]) & bits_over) != 0) return {.fault = values - 1};
  const std::array<char, 4> filled{group[0], group[1], values == 3 ? group[2] : 'A', 'A'};
  std::array<std::byte, 3> bytes;
  decode_base64_groups(filled.data(), 1, bytes.data());
  std::copy_n(bytes.begin(), values - 1, out);
  return {.consumed = 4, .written = values - 1};
}

/// The fault of a text that ends inside a group.
std::size_t fault_of_stump(std::string_view stump) {
  const std::size_t values = first_outside_alphabet(stump);
  const bool padding_begun = values == 2 && stump.size() == 3 && stump[2] == '=';
  return padding_begun ? stump.size() : values;
}

}  // namespace

Base64Step Base64Codec::decode(std::string_view text, std::span<std::byte> out, bool last) const {
  const std::size_t groups = std::min({text.size() / 4, out.size() / 3, kGroupsMax});
  const std::size_t good = decode_groups(text.data(), groups, out.data());
  Base64Step step{.consumed = good * 4, .written = good * 3};
  if (good < groups) {
    const Base64Step odd = decode_odd_group(text.substr(step.consumed, 4), out.data() + step.written);
    if (!odd.ok()) {
      step.fault = step.consumed + odd.fault;
      return step;
    }
    step.consumed += odd.consumed;
    step.written += odd.written;
    if (!last || step.consumed < text.size()) step.fault = step.consumed;  // padding is the end
  } else if (last && groups == text.size() / 4 && step.consumed < text.size()) {
    step.fault = step.consumed + fault_of_stump(text.substr(step.consumed));
  }
  return step;
}

}  // namespace forklift
