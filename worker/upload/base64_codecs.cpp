#include "worker/upload/base64_codecs.h"

#include <algorithm>
#include <array>

namespace forklift {

const Base64Codec& simd_codec() {
  if (avx2_codec() != nullptr) return *avx2_codec();
  if (ssse3_codec() != nullptr) return *ssse3_codec();
  return scalar_codec();
}

const Base64Codec& base64_codec(Base64Choice choice) {
  switch (choice) {
    case Base64Choice::kLibb64:
      return libb64_codec();
    case Base64Choice::kSimd:
      return simd_codec();
    case Base64Choice::kAuto:
      break;
  }
  return ssse3_codec() != nullptr ? simd_codec() : libb64_codec();
}

std::span<const Base64Codec* const> base64_codecs() {
  static const std::array<const Base64Codec*, 4> all{&libb64_codec(), &scalar_codec(), ssse3_codec(),
                                                     avx2_codec()};
  // Without SSSE3 there is no AVX2 either: what is missing stands at the end.
  const auto* end = std::find(all.begin(), all.end(), nullptr);
  return {all.begin(), end};
}

}  // namespace forklift
