#include "worker/upload/base64_reader.h"

#include <algorithm>
#include <string>
#include <vector>

#include "support/body_pattern.h"
#include "support/catch.h"

using namespace forklift;

namespace {

const Base64Codec& codec() { return base64_codec(Base64Choice::kAuto); }

struct Outcome {
  std::string bytes;
  std::int64_t fault = -1;
  bool operator==(const Outcome&) const = default;
};

/// Read `piece` bytes at a time.
Outcome read_all(std::string_view inside, std::size_t piece, std::size_t offset = 0) {
  Base64Reader reader(inside, offset, codec());
  Outcome outcome;
  std::vector<std::byte> out(piece);
  for (;;) {
    const auto size = reader.read(out);
    if (!size) {
      CHECK(size.error().code == ErrorCode::kBadBody);
      return {"", size.error().position};
    }
    outcome.bytes.append(reinterpret_cast<const char*>(out.data()), *size);
    if (*size < piece) {
      CHECK(reader.at_end());
      return outcome;
    }
  }
}

std::string replace_all(std::string text, char from, std::string_view to) {
  std::string replaced;
  for (const char c : text) replaced += c == from ? std::string(to) : std::string(1, c);
  return replaced;
}

/// "////" and friends: full of what is escaped. The pattern "Pz8/" repeated is "??" and "?".
std::string sample_text(std::size_t groups) {
  std::string text;
  for (std::size_t i = 0; i < groups; ++i) text += i % 3 == 0 ? "Pz8/" : i % 3 == 1 ? "/Ab+" : "Zm9v";
  return text;
}

}  // namespace

TEST_CASE("a base64 string is read whole in pieces of any size, escaped or not") {
  const std::string text = sample_text(5000) + "Zg==";
  const Outcome whole = read_all(text, 1 << 20);
  REQUIRE(whole.bytes.size() == 15001);
  for (const std::size_t piece : {1u, 2u, 3u, 4u, 5u, 7u, 100u, 8192u, 8193u, 15000u, 15001u, 15002u}) {
    INFO(piece);
    CHECK(read_all(text, piece) == whole);
    CHECK(read_all(replace_all(text, '/', "\\/"), piece) == whole);
    CHECK(read_all(replace_all(text, '/', "\\u002f"), piece) == whole);
    CHECK(read_all(replace_all(text, '/', "\\u002F"), piece) == whole);
    CHECK(read_all(replace_all(text, '=', "\\u003d"), piece) == whole);
  }
}

TEST_CASE("a base64 string says its size where it can") {
  const auto size_of = [](std::string_view text) { return Base64Reader(text, 0, codec()).size(); };
  CHECK(size_of("") == 0u);
  CHECK(size_of("Zg==") == 1u);
  CHECK(size_of("Zm8=") == 2u);
  CHECK(size_of("Zm9v") == 3u);
  CHECK(size_of("=") == 0u);
  CHECK(size_of("Zm9v\\/m9v") == std::nullopt);
}

TEST_CASE("the offending byte of a base64 string is named as it stands in the body, escapes counted") {
  const std::string slashes(4000, '/');
  CHECK(read_all("AA!A", 100).fault == 2);
  CHECK(read_all("AA!A", 100, 10).fault == 12);
  CHECK(read_all("AAA", 100, 10).fault == 13);
  CHECK(read_all("AA\\/!", 100, 10).fault == 14);
  CHECK(read_all("AA\\n", 100, 10).fault == 12);
  CHECK(read_all("AA\\u00e9AA", 100, 10).fault == 12);
  CHECK(read_all("AA\\u002fA*", 100, 10).fault == 19);
  CHECK(read_all("AA==\\/", 100, 10).fault == 14);
  for (const std::size_t piece : {1u, 3u, 4096u, 100000u}) {
    INFO(piece);
    CHECK(read_all(slashes + "!", piece).fault == 4000);
    CHECK(read_all(replace_all(slashes, '/', "\\/") + "!", piece).fault == 8000);
    CHECK(read_all(replace_all(slashes + slashes + slashes, '/', "\\/") + "!", piece).fault == 24000);
    CHECK(read_all(replace_all(slashes + slashes, '/', "\\/") + "/", piece).fault == 16001);
    // The padding ends a block of the reader: what follows is in the next one.
    CHECK(read_all(std::string(8188, 'A') + "AA==\\/\\/\\/\\/", piece).fault == 8192);
  }
}
