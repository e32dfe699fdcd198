#include "worker/http/entity_tag.h"

#include <string>

#include "support/catch.h"

namespace forklift {
namespace {

/// "any", "malformed", or the tags between spaces, a weak one behind "w:".
std::string read(std::string_view value) {
  const auto list = parse_entity_tags(value);
  if (!list) return "malformed";
  if (list->any) return list->tags.empty() ? "any" : "any and more";
  std::string text;
  for (const EntityTag& tag : list->tags) {
    if (!text.empty()) text += ' ';
    text += tag.weak ? "w:" : "";
    text += tag.opaque;
  }
  return text;
}

struct Comparison {
  const char* left;
  const char* right;
  bool strong;
  bool weak;
};

}  // namespace

TEST_CASE("entity tags compare as the table in RFC 9110, 8.8.3.2 says") {
  for (const Comparison& row : {Comparison{"W/\"1\"", "W/\"1\"", false, true},
                                {"W/\"1\"", "W/\"2\"", false, false},
                                {"W/\"1\"", "\"1\"", false, true},
                                {"\"1\"", "\"1\"", true, true},
                                {"\"1\"", "\"2\"", false, false}}) {
    CAPTURE(row.left, row.right);
    const auto left = parse_entity_tag(row.left);
    const auto right = parse_entity_tag(row.right);
    REQUIRE((left && right));
    CHECK(match_strongly(*left, *right) == row.strong);
    CHECK(match_strongly(*right, *left) == row.strong);
    CHECK(match_weakly(*left, *right) == row.weak);
  }
}

TEST_CASE("lists of entity tags are read") {
  CHECK(read("*") == "any");
  CHECK(read("\"xyzzy\"") == "\"xyzzy\"");
  CHECK(read("\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"") == "\"xyzzy\" \"r2d2xxxx\" \"c3piozzzz\"");
  CHECK(read("W/\"xyzzy\",W/\"r2d2xxxx\"") == "w:\"xyzzy\" w:\"r2d2xxxx\"");
  CHECK(read("\"\"") == "\"\"");
  CHECK(read("\"a,b\" \t,\t\"c\"") == "\"a,b\" \"c\"");
  CHECK(read("\"*\"") == "\"*\"");
  CHECK(read("\"back\\\\slash\\\"") == "\"back\\\\slash\\\"");
  CHECK(read("\"\x80\xff\"") == "\"\x80\xff\"");
  CHECK(read(",, \"a\" , ,\"b\",") == "\"a\" \"b\"");
  CHECK(read("") == "");
  CHECK(read(" , ,") == "");
}

TEST_CASE("what is no list of entity tags is refused") {
  for (const char* value :
       {"a",       "\"a",      "a\"",       "\"a\" \"b\"", "\"a\"\"b\"", "\"a\"b",   "w/\"a\"",
        "W/a",     "W/ \"a\"", "W/",        "*, \"a\"",    "\"a\", *",   "* ",       "**",
        "\"a b\"", "\"a\tb\"", "\"a\x7f\"", "'a'",         "\"a\";",     "\"a\", b", "\""}) {
    CAPTURE(value);
    CHECK(read(value) == "malformed");
  }
  CHECK(read(std::string_view("\"a\0b\"", 5)) == "malformed");
}

TEST_CASE("a single entity tag is one and nothing else") {
  REQUIRE(parse_entity_tag("W/\"a\""));
  CHECK(parse_entity_tag("W/\"a\"")->weak);
  CHECK(parse_entity_tag("W/\"a\"")->opaque == "\"a\"");
  for (const char* text : {"", "*", "\"a\",", "\"a\" ", " \"a\"", "\"a\", \"b\"", "W/"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_entity_tag(text));
  }
}

}  // namespace forklift
