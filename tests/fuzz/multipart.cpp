#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/support/form_transcript.h"

namespace {

/// Small enough for a fuzzer to reach.
forklift::FormLimits small_limits() {
  forklift::FormLimits limits;
  limits.parts_max = 2;
  limits.part_header_bytes_max = 64;
  limits.surround_bytes_max = 16;
  return limits;
}

}  // namespace

/// The first byte says into what pieces the rest is cut; the cut must not change what is read. The rest is a
/// form with the boundary "B", and a Content-Type too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const forklift::FormLimits& limits : {forklift::FormLimits(), small_limits()}) {
    const std::string whole = forklift::form_transcript_of(body, "B", limits);
    const std::size_t piece = data[0] % 61u + 1;
    forklift::FormTranscript cut("B", limits);
    for (std::size_t at = 0; at < body.size(); at += piece) cut.feed(body.substr(at, piece));
    cut.end();
    if (cut.text() != whole || cut.broke_the_contract()) std::abort();
  }
  const std::string boundary = forklift::form_boundary(body);
  if (boundary.size() > 70 || boundary.find('\r') != boundary.npos) std::abort();
  return 0;
}
