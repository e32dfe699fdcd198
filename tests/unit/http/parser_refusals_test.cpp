#include <string>

#include "support/catch.h"
#include "support/transcript.h"
#include "unit/http/request_samples.h"

namespace forklift {

TEST_CASE("the parser refuses what could be read in two ways") {
  for (const auto& [name, stream, refusal] : refused_samples()) {
    INFO(name);
    CHECK(transcript_of(stream) == "refused " + refusal + "\n");
  }
}

TEST_CASE("the parser reads the same from every split of a stream in two, and byte by byte") {
  Limits limits;
  limits.target_bytes_max = 100;
  limits.header_bytes_max = 400;
  limits.header_count_max = 8;
  for (const std::string& stream : all_samples()) {
    const std::string whole = transcript_of(stream, limits);
    INFO(stream);
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
      Transcript halves(limits);
      halves.feed(std::string_view(stream).substr(0, cut));
      halves.feed(std::string_view(stream).substr(cut));
      if (halves.text() == whole) continue;
      INFO(cut);
      CHECK(halves.text() == whole);
    }
    Transcript bytes(limits);
    for (const char c : stream) bytes.feed(std::string_view(&c, 1));
    CHECK(bytes.text() == whole);
  }
}

}  // namespace forklift
