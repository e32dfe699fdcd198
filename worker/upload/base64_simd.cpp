#include "worker/upload/base64_codecs.h"
#include "worker/upload/base64_groups.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace forklift {

namespace {

/// What vectors left over: the ends, and any stretch with a fault in it.
std::size_t decode_rest(const char* text, std::size_t done, std::size_t groups, std::byte* out) {
  const std::size_t good = base64_groups_before_fault(text + done * 4, groups - done);
  decode_base64_groups(text + done * 4, good, out + done * 3);
  return done + good;
}

class ScalarCodec final : public Base64Codec {
 public:
  const char* name() const override { return "simd (scalar)"; }

 private:
  std::size_t decode_groups(const char* text, std::size_t groups, std::byte* out) const override {
    return decode_rest(text, 0, groups, out);
  }
};

#if defined(__x86_64__)

// The vectors follow Wojciech Muła and Daniel Lemire, "Faster Base64 Encoding and Decoding using AVX2
// Instructions" (ACM Transactions on the Web 12, 3, 2018): one table by the low half of a byte and one by the
// high half have a bit in common just where the byte is not in the alphabet; a third says what to add to get
// its value.
// clang-format off
#define LOW_HALVES 0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a
#define HIGH_HALVES 0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10
#define TO_ADD 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
#define BYTES_OF_GROUPS 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1
// clang-format on

__attribute__((target("ssse3"))) std::size_t decode_ssse3(const char* text, std::size_t groups,
                                                          std::byte* out) {
  constexpr std::size_t kGroups = 4;
  const __m128i low_halves = _mm_setr_epi8(LOW_HALVES);
  const __m128i high_halves = _mm_setr_epi8(HIGH_HALVES);
  const __m128i to_add = _mm_setr_epi8(TO_ADD);
  const __m128i bytes_of_groups = _mm_setr_epi8(BYTES_OF_GROUPS);
  const __m128i slash = _mm_set1_epi8('/');  // also a mask that leaves the half which a shuffle looks at
  std::size_t done = 0;
  // A store of 16 bytes holds 12: it needs room for four bytes, two groups, beyond its own.
  for (; done + kGroups + 2 <= groups; done += kGroups) {
    const __m128i in = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + done * 4));
    const __m128i high = _mm_and_si128(_mm_srli_epi32(in, 4), slash);
    const __m128i faults = _mm_and_si128(_mm_shuffle_epi8(low_halves, _mm_and_si128(in, slash)),
                                         _mm_shuffle_epi8(high_halves, high));
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(faults, _mm_setzero_si128())) != 0xffff) break;
    const __m128i roll = _mm_shuffle_epi8(to_add, _mm_add_epi8(_mm_cmpeq_epi8(in, slash), high));
    const __m128i pairs = _mm_maddubs_epi16(_mm_add_epi8(in, roll), _mm_set1_epi32(0x01400140));
    const __m128i words = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + done * 3), _mm_shuffle_epi8(words, bytes_of_groups));
  }
  return done;
}

__attribute__((target("avx2"))) std::size_t decode_avx2(const char* text, std::size_t groups,
                                                        std::byte* out) {
  constexpr std::size_t kGroups = 8;
  const __m256i low_halves = _mm256_setr_epi8(LOW_HALVES, LOW_HALVES);
  const __m256i high_halves = _mm256_setr_epi8(HIGH_HALVES, HIGH_HALVES);
  const __m256i to_add = _mm256_setr_epi8(TO_ADD, TO_ADD);
  const __m256i bytes_of_groups = _mm256_setr_epi8(BYTES_OF_GROUPS, BYTES_OF_GROUPS);
  const __m256i together = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
  const __m256i slash = _mm256_set1_epi8('/');
  std::size_t done = 0;
  // A store of 32 bytes holds 24: it needs room for eight bytes, three groups, beyond its own.
  for (; done + kGroups + 3 <= groups; done += kGroups) {
    const __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + done * 4));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi32(in, 4), slash);
    const __m256i low_marks = _mm256_shuffle_epi8(low_halves, _mm256_and_si256(in, slash));
    if (_mm256_testz_si256(low_marks, _mm256_shuffle_epi8(high_halves, high)) == 0) break;
    const __m256i roll = _mm256_shuffle_epi8(to_add, _mm256_add_epi8(_mm256_cmpeq_epi8(in, slash), high));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_add_epi8(in, roll), _mm256_set1_epi32(0x01400140));
    const __m256i words = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(words, bytes_of_groups), together);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + done * 3), bytes);
  }
  return done;
}

class Ssse3Codec final : public Base64Codec {
 public:
  const char* name() const override { return "simd (SSSE3)"; }

 private:
  std::size_t decode_groups(const char* text, std::size_t groups, std::byte* out) const override {
    return decode_rest(text, decode_ssse3(text, groups, out), groups, out);
  }
};

class Avx2Codec final : public Base64Codec {
 public:
  const char* name() const override { return "simd (AVX2)"; }

 private:
  std::size_t decode_groups(const char* text, std::size_t groups, std::byte* out) const override {
    return decode_rest(text, decode_avx2(text, groups, out), groups, out);
  }
};

#endif

}  // namespace

const Base64Codec& scalar_codec() {
  static constexpr ScalarCodec codec;
  return codec;
}

#if defined(__x86_64__)

const Base64Codec* ssse3_codec() {
  static constexpr Ssse3Codec codec;
  return __builtin_cpu_supports("ssse3") ? &codec : nullptr;
}

const Base64Codec* avx2_codec() {
  static constexpr Avx2Codec codec;
  return __builtin_cpu_supports("avx2") ? &codec : nullptr;
}

#else

const Base64Codec* ssse3_codec() { return nullptr; }
const Base64Codec* avx2_codec() { return nullptr; }

#endif

}  // namespace forklift
