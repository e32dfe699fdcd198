#include "worker/upload/base64.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "support/base64.h"
#include "support/body_pattern.h"
#include "support/catch.h"
#include "worker/upload/base64_codecs.h"

using namespace forklift;

namespace {

struct Decoded {
  std::string bytes;
  std::size_t fault = Base64Step::kNoFault;
  bool operator==(const Decoded&) const = default;
};

/// In one call, into memory of exactly the size it says it needs, so that sanitizers see a byte too many.
Decoded decode(const Base64Codec& codec, std::string_view text) {
  const std::vector<char> exact(text.begin(), text.end());
  std::vector<std::byte> out(text.size() / 4 * 3);
  const Base64Step step = codec.decode({exact.data(), exact.size()}, out, true);
  return {std::string(reinterpret_cast<const char*>(out.data()), step.written), step.fault};
}

std::size_t fault_of(const Base64Codec& codec, std::string_view text) { return decode(codec, text).fault; }

}  // namespace

TEST_CASE("the base64 examples of RFC 4648 decode to what it says") {
  for (const Base64Codec* codec : base64_codecs()) {
    INFO(codec->name());
    CHECK(decode(*codec, "") == Decoded{""});
    CHECK(decode(*codec, "Zg==") == Decoded{"f"});
    CHECK(decode(*codec, "Zm8=") == Decoded{"fo"});
    CHECK(decode(*codec, "Zm9v") == Decoded{"foo"});
    CHECK(decode(*codec, "Zm9vYg==") == Decoded{"foob"});
    CHECK(decode(*codec, "Zm9vYmE=") == Decoded{"fooba"});
    CHECK(decode(*codec, "Zm9vYmFy") == Decoded{"foobar"});
  }
}

TEST_CASE("base64 of any length decodes to what was encoded") {
  for (const Base64Codec* codec : base64_codecs()) {
    for (std::size_t size = 0; size < 300; ++size) {
      INFO(codec->name() << " " << size);
      const std::string bytes = testing::body_of(size, size + 1);
      REQUIRE(decode(*codec, testing::base64_of(bytes)) == Decoded{bytes});
    }
  }
}

TEST_CASE("the first base64 byte that is wrong is named") {
  constexpr std::size_t kNone = Base64Step::kNoFault;
  struct Sample {
    const char* text;
    std::size_t fault;
  };
  const Sample samples[] = {
      {"A", 1},        {"AB", 2},      {"ABC", 3},     {"AB=", 3},      {"ABI=D", 4},     {"=", 0},
      {"A===", 1},     {"====", 0},    {"AA=A", 3},    {"AB==", 1},     {"AA==", kNone},  {"ABD=", 2},
      {"ABI=", kNone}, {"AAAAA", 5},   {"AAAA=", 4},   {"AA==AAAA", 4}, {"AAA=AAAA", 4},  {"AA==A", 4},
      {"AA== ", 4},    {"AA A", 2},    {"AAA\n", 3},   {"\nAAA", 0},    {"AA-A", 2},      {"AA_A", 2},
      {"AAA\\", 3},    {"AAA\x80", 3}, {"AAA\xff", 3}, {"A*==", 1},     {"AAAA*", 4},     {"AAAAA*", 5},
      {"AAAAAA*", 6},  {"AB==A", 1},   {"AA=*", 3},    {"AA*=", 2},     {"data:image", 4}};
  for (const Base64Codec* codec : base64_codecs()) {
    for (const Sample& sample : samples) {
      INFO(codec->name() << " \"" << sample.text << "\"");
      CHECK(fault_of(*codec, sample.text) == sample.fault);
    }
  }
}

TEST_CASE("each of the 256 bytes is taken or refused wherever it stands") {
  for (const Base64Codec* codec : base64_codecs()) {
    for (int byte = 0; byte < 256; ++byte) {
      for (std::size_t at = 0; at < 80; ++at) {
        std::string text(84, 'A');
        text[at] = static_cast<char>(byte);
        const bool good =
            byte != 0 && testing::kBase64Alphabet.find(static_cast<char>(byte)) != std::string_view::npos;
        INFO(codec->name() << " byte " << byte << " at " << at);
        // A padded group is not the end here: what follows it is wrong.
        const bool padding = byte == '=' && at % 4 == 3;
        REQUIRE(fault_of(*codec, text) == (good                         ? Base64Step::kNoFault
                                           : padding                    ? at + 1
                                           : byte == '=' && at % 4 == 2 ? at + 1
                                                                        : at));
      }
    }
  }
}

TEST_CASE("base64 in pieces of any size decodes as in one") {
  std::mt19937 random(7);
  const std::string bytes = testing::body_of(5000);
  const std::string text = testing::base64_of(bytes);
  for (const Base64Codec* codec : base64_codecs()) {
    INFO(codec->name());
    std::string decoded;
    std::string_view left = text;
    while (!left.empty()) {
      const std::size_t size = std::min<std::size_t>(left.size(), 4 + random() % 200);
      std::vector<std::byte> out(3 + random() % 200);
      const Base64Step step = codec->decode(left.substr(0, size), out, size == left.size());
      REQUIRE(step.ok());
      REQUIRE(step.consumed > 0);
      decoded.append(reinterpret_cast<const char*>(out.data()), step.written);
      left.remove_prefix(step.consumed);
    }
    CHECK(decoded == bytes);
  }
}

TEST_CASE("all codecs agree on text with random damage") {
  std::mt19937 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string text = testing::base64_of(testing::body_of(random() % 120, static_cast<unsigned>(random())));
    for (auto hits = random() % 3; hits > 0 && !text.empty(); --hits) {
      text[random() % text.size()] = static_cast<char>(random() % 4 == 0 ? '=' : random());
    }
    if (random() % 4 == 0) text.resize(text.size() - random() % (text.size() + 1) % 4);
    const Decoded first = decode(*base64_codecs().front(), text);
    for (const Base64Codec* codec : base64_codecs()) {
      INFO(codec->name() << " \"" << text << "\"");
      REQUIRE(decode(*codec, text) == first);
    }
  }
}

TEST_CASE("the choice of a base64 codec is kept") {
  CHECK(base64_codec(Base64Choice::kLibb64).name() == std::string("libb64"));
  CHECK(std::string(base64_codec(Base64Choice::kSimd).name()).rfind("simd", 0) == 0);
  const bool vectors = ssse3_codec() != nullptr;
  CHECK(&base64_codec(Base64Choice::kAuto) ==
        &base64_codec(vectors ? Base64Choice::kSimd : Base64Choice::kLibb64));
}
