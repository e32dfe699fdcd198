#include <array>
#include <cstring>

extern "C" {
#include <b64/cdecode.h>
}

#include "worker/upload/base64_codecs.h"
#include "worker/upload/base64_groups.h"

namespace forklift {

namespace {

void decode_all(const char* text, std::size_t groups, char* out) {
  base64_decodestate state;
  base64_init_decodestate(&state);
  base64_decode_block(text, static_cast<int>(groups * 4), out, &state);
}

class Libb64Codec final : public Base64Codec {
 public:
  const char* name() const override { return "libb64"; }

 private:
  std::size_t decode_groups(const char* text, std::size_t groups, std::byte* out) const override {
    const std::size_t good = base64_groups_before_fault(text, groups);
    if (good == 0) return 0;
    // It touches one byte behind what it decodes: the last group gets a buffer with one to spare.
    if (good > 1) decode_all(text, good - 1, reinterpret_cast<char*>(out));
    std::array<char, 4> with_spare{};
    decode_all(text + (good - 1) * 4, 1, with_spare.data());
    std::memcpy(out + (good - 1) * 3, with_spare.data(), 3);
    return good;
  }
};

}  // namespace

const Base64Codec& libb64_codec() {
  static constexpr Libb64Codec codec;
  return codec;
}

}  // namespace forklift
