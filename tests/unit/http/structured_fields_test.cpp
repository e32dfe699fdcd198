#include "worker/http/structured_fields.h"

#include <random>
#include <vector>

#include "support/catch.h"

namespace forklift {
namespace {

/// "key[item] …", or "malformed".
std::string read(std::string_view value) {
  DictionaryReader reader(value);
  std::string text;
  while (const auto member = reader.next()) {
    if (!text.empty()) text += ' ';
    text += std::string(member->key) + '[' + std::string(member->item) + ']';
  }
  return reader.malformed() ? "malformed" : text;
}

std::string decoded(std::string_view text, std::size_t size) {
  std::vector<std::byte> out(size);
  if (!decode_base64(text, out)) return "refused";
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

}  // namespace

TEST_CASE("dictionaries are read as in RFC 8941, 3.2") {
  CHECK(read("en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:") == "en[\"Applepie\"] da[:w4ZibGV0w6ZydGU=:]");
  CHECK(read("a=?0, b, c; foo=bar") == "a[?0] b[?1] c[?1]");
  CHECK(read("rating=1.5, feelings=(joy sadness)") == "rating[1.5] feelings[(joy sadness)]");
  CHECK(read("a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid") == "a[(1 2)] b[3] c[4] d[(5 6)]");
  CHECK(read("") == "");
  CHECK(read("  a=1") == "a[1]");
  CHECK(read("a=1 \t,\t b=2") == "a[1] b[2]");
  CHECK(read("*x-1_.*=-15") == "*x-1_.*[-15]");
  CHECK(read("a=\"q\\\"\\\\,;=\";x=\",\",b=tok:en/1") == "a[\"q\\\"\\\\,;=\"] b[tok:en/1]");
  CHECK(read("a=( \"x y\";p=1  b );q, c=::") == "a[( \"x y\";p=1  b )] c[::]");
  CHECK(read("a=1;b;  c=?1;d=:AA==:") == "a[1]");
  CHECK(read("a=123456789012345,b=123456789012.123") == "a[123456789012345] b[123456789012.123]");
  CHECK(read("a=1,a=2") == "a[1] a[2]");
  CHECK(read("a=()") == "a[()]");
}

TEST_CASE("what is no dictionary is refused") {
  for (const char* value : {"a=1,",
                            ",a=1",
                            "a=1,,b=2",
                            "a=1 b=2",
                            "A=1",
                            "1=a",
                            "-a=1",
                            "a=",
                            "a =1",
                            "a= 1",
                            "a=\"x",
                            "a=\"\\x\"",
                            "a=\"\xc3\xa9\"",
                            "a=:AA",
                            "a=:A A:",
                            "a=:AA*:",
                            "a=?2",
                            "a=?",
                            "a=-",
                            "a=1.",
                            "a=.5",
                            "a=1.2345",
                            "a=1234567890123456",
                            "a=1234567890123.1",
                            "a=--1",
                            "a=(1 2",
                            "a=(1,2)",
                            "a=(1\"x\")",
                            "a=((1))",
                            "a;",
                            "a;B",
                            "a;b=",
                            "a;b=(1)",
                            "a=\xff",
                            "a=@1",
                            "\xff",
                            "a=1;;b",
                            "=",
                            "a==1",
                            "a=1\t;b",
                            "\ta=1"}) {
    CAPTURE(value);
    CHECK(read(value) == "malformed");
  }
  CHECK(read(std::string_view("a=1\0", 4)) == "malformed");
}

TEST_CASE("base64 is decoded where it is of the size wanted") {
  CHECK(decoded("Zg==", 1) == "f");
  CHECK(decoded("Zm8=", 2) == "fo");
  CHECK(decoded("Zm9v", 3) == "foo");
  CHECK(decoded("Zm9vYmFy", 6) == "foobar");
  CHECK(decoded("", 0) == "");
  CHECK(decoded("Zg", 1) == "f");    // RFC 8941, 4.2.7: padding may be missing
  CHECK(decoded("Zh==", 1) == "f");  // and so may its zeroes
  CHECK(decoded("+/+/", 3) == "\xfb\xff\xbf");
  for (const char* text : {"", "Z", "Zg=", "Zg===", "Zm8=", "Zm9v", "Z===", "=Zg=", "Z =="}) {
    CAPTURE(text);
    CHECK(decoded(text, 1) == "refused");
  }
  CHECK(decoded("Zm9v=", 3) == "refused");
  CHECK(decoded("Zm-_", 3) == "refused");
  CHECK(decoded("Zm=v", 3) == "refused");
  CHECK(decoded("Zm9", 3) == "refused");
}

TEST_CASE("a byte sequence that was written is read back") {
  std::mt19937 random(3);
  for (std::size_t size = 0; size < 200; ++size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    const std::string text = byte_sequence(bytes);
    std::vector<std::byte> back(size);
    CAPTURE(text);
    REQUIRE(decode_byte_sequence(text, back));
    REQUIRE(back == bytes);
    REQUIRE(text.size() == (size + 2) / 3 * 4 + 2);
    REQUIRE(read("a=" + text) == "a[" + text + "]");
  }
  std::byte out[1];
  for (const char* text : {"Zg==", ":Zg==", "Zg==:", ":", "", "\"Zg==\""})
    CHECK_FALSE(decode_byte_sequence(text, out));
}

}  // namespace forklift
