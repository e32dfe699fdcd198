#include <cstdint>
#include <cstdlib>

#include "tests/support/transcript.h"

namespace {

using forklift::Limits;
using forklift::Transcript;

/// Small enough for a fuzzer to reach.
Limits small_limits() {
  Limits limits;
  limits.header_bytes_max = 256;
  limits.header_count_max = 6;
  limits.target_bytes_max = 64;
  return limits;
}

}  // namespace

/// The first byte says into what pieces the rest is split; the split must not change what is read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const Limits& limits : {Limits(), small_limits()}) {
    const std::string whole = forklift::transcript_of(stream, limits);
    const std::size_t piece = data[0] % 61u + 1;
    Transcript split(limits);
    for (std::size_t at = 0; at < stream.size(); at += piece) split.feed(stream.substr(at, piece));
    if (split.text() != whole) std::abort();
  }
  return 0;
}
