#pragma once

#include "worker/upload/base64.h"

namespace forklift {

/// The portable codec: the library of that name, behind the validator that it lacks.
const Base64Codec& libb64_codec();

/// Ours, by the widest vectors this CPU has.
const Base64Codec& simd_codec();

/// Ours at each width; nullptr where the CPU lacks it. The scalar one is always there.
const Base64Codec& scalar_codec();
const Base64Codec* ssse3_codec();
const Base64Codec* avx2_codec();

}  // namespace forklift
