#include "worker/upload/json_document.h"

#include <string>

#include "support/catch.h"

using namespace forklift;

namespace {

struct Read {
  std::string field;
  std::string file;
  std::string filename;
  bool operator==(const Read&) const = default;
};

/// What stands behind a body is anything.
Result<JsonUpload> parse(JsonParser& parser, std::string_view body) {
  const std::string padded = std::string(body) + std::string(JsonParser::kPaddingBytes, '"');
  return parser.parse(padded.data(), body.size());
}

Read read(std::string_view body) {
  JsonParser parser;
  const auto upload = parse(parser, body);
  INFO(body << ": " << (upload ? "" : upload.error().operation));
  REQUIRE(upload.ok());
  return {upload->field, std::string(body.substr(upload->file_offset, upload->file_size)), upload->filename};
}

}  // namespace

TEST_CASE("a JSON upload is found under each of its keys, wherever it stands") {
  CHECK(read(R"({"file":"Zm9v"})") == Read{"file", "Zm9v", ""});
  CHECK(read(R"({"data":""})") == Read{"data", "", ""});
  CHECK(read(R"( { "content" : "Zm9v" } )"
             "\r\n") == Read{"content", "Zm9v", ""});
  CHECK(read(R"({"filename":"a.txt","file":"Zm9v"})") == Read{"file", "Zm9v", "a.txt"});
  CHECK(read(R"({"file":"Z\/9v"  ,"filename":"\u00e4\"/../x"})") ==
        Read{"file", "Z\\/9v", "\xc3\xa4\"/../x"});
  CHECK(read(R"({"\u0066ile":"Zm9v"})") == Read{"file", "Zm9v", ""});
  CHECK(read(R"({"a":[1,{"file":"x"},null,true,-1.5e3],"file":"Zm9v","b":{}})") == Read{"file", "Zm9v", ""});
  CHECK(read(R"({"file":"a\"b"})") == Read{"file", "a\\\"b", ""});
}

TEST_CASE("a JSON body that is no upload is refused with a sentence") {
  const std::string_view bodies[] = {"",
                                     " ",
                                     "x",
                                     "null",
                                     "[]",
                                     "\"file\"",
                                     "{",
                                     "}",
                                     "{}",
                                     R"({"File":"Zm9v"})",
                                     R"({"file":1})",
                                     R"({"file":null})",
                                     R"({"file":["Zm9v"]})",
                                     R"({"file":"Zm9v)",
                                     R"({"file":"Zm9v")",
                                     R"({"file":"Zm9v",})",
                                     R"({"file":"Zm9v"}})",
                                     R"({"file":"Zm9v"} x)",
                                     R"({"file":"Zm9v"}{"file":"Zm9v"})",
                                     R"({"file":"Zm9v","file":"Zm9v"})",
                                     R"({"file":"Zm9v","data":"Zm9v"})",
                                     R"({"file":"Zm9v":1})",
                                     R"({"file":"Zm9v":1}})",
                                     R"({"file":"Zm9v"x})",
                                     R"({"file" "Zm9v"})",
                                     R"({file:"Zm9v"})",
                                     R"({"file":"Zm9v","filename":1})",
                                     R"({"file":"Zm9v","filename":"a","filename":"a"})",
                                     R"({"file":"Zm9v","filename":"\q"})",
                                     R"({"file":"Zm9v","a":tru})",
                                     R"({"file":"Zm9v","a":nul})",
                                     R"({"file":"Zm9v","a":01})",
                                     R"({"file":"Zm9v","a":[1,]})",
                                     R"({"file":"Zm9v","a":{"b"}})",
                                     R"({"file":"Zm9v","a":"\q"})",
                                     R"({"file":"Zm9v","a":[1})",
                                     "{\"file\":\"Zm9v\",\"a\":\"\xff\"}",
                                     "{\"file\":\"Zm9v\xc3\"}",
                                     "{\"file\":\"Zm\n9v\"}",
                                     "\xef\xbb\xbf{\"file\":\"Zm9v\"}",
                                     "{'file':'Zm9v'}"};
  JsonParser parser;
  for (const std::string_view body : bodies) {
    INFO(body);
    const auto upload = parse(parser, body);
    REQUIRE_FALSE(upload.ok());
    CHECK(upload.error().code == ErrorCode::kBadBody);
    CHECK(std::string_view(upload.error().operation).ends_with('.'));
    CHECK(upload.error().position < static_cast<std::int64_t>(body.size()));
  }
  const auto position_of = [&](std::string_view body) { return parse(parser, body).error().position; };
  CHECK(position_of(R"({"file":1})") == 8);
  CHECK(position_of(R"({"file":"Zm9v","data":"Zm9v"})") == 22);
  CHECK(position_of(R"({"file":"Zm9v"} x)") == -1);
  CHECK(position_of(R"({"file":"Zm9v"}, "a":1})") == 15);
}

TEST_CASE("JSON nested deeply is refused, not followed") {
  JsonParser parser;
  for (const std::size_t depth : {100u, 2000u, 1000000u}) {
    const std::string body =
        R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + R"(,"file":"Zm9v"})";
    CHECK_FALSE(parse(parser, body).ok());
  }
  CHECK_FALSE(parse(parser, std::string(1000000, '[')).ok());
  CHECK_FALSE(parse(parser, std::string(1000000, '{')).ok());
}

TEST_CASE("a filename over 4096 bytes is too large") {
  JsonParser parser;
  const auto upload = parse(parser, R"({"file":"","filename":")" + std::string(4097, 'x') + "\"}");
  REQUIRE_FALSE(upload.ok());
  CHECK(upload.error().code == ErrorCode::kBodyTooLarge);
}
