#include "worker/upload/base64_groups.h"

namespace forklift {

std::size_t base64_groups_before_fault(const char* text, std::size_t groups) {
  for (std::size_t group = 0; group < groups; ++group, text += 4) {
    const unsigned all =
        base64_value(text[0]) | base64_value(text[1]) | base64_value(text[2]) | base64_value(text[3]);
    if ((all & kNoBase64) != 0) return group;
  }
  return groups;
}

void decode_base64_groups(const char* text, std::size_t groups, std::byte* out) {
  for (; groups > 0; --groups, text += 4, out += 3) {
    const std::uint32_t bits = std::uint32_t{base64_value(text[0])} << 18 |
                               std::uint32_t{base64_value(text[1])} << 12 |
                               std::uint32_t{base64_value(text[2])} << 6 | base64_value(text[3]);
    out[0] = static_cast<std::byte>(bits >> 16);
    out[1] = static_cast<std::byte>(bits >> 8);
    out[2] = static_cast<std::byte>(bits);
  }
}

}  // namespace forklift
