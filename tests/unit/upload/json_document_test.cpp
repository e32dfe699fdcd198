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

/// As a body is read that is too large to be parsed whole.
Result<JsonUpload> parse_around(JsonParser& parser, std::string_view body, std::size_t beside_bytes_max) {
  const auto hole = find_longest_string(body, beside_bytes_max);
  if (!hole) return hole.error();
  return parser.parse_around(body.data(), body.size(), *hole);
}

bool same(const JsonUpload& a, const JsonUpload& b) {
  return a.field == b.field && a.filename == b.filename && a.file_offset == b.file_offset &&
         a.file_size == b.file_size;
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
    // What is wrong inside of the file is found by whoever decodes it.
    if (const auto around = parse_around(parser, body, 1000)) CHECK(around->file_size > 4);
  }
  const auto position_of = [&](std::string_view body) { return parse(parser, body).error().position; };
  CHECK(position_of(R"({"file":1})") == 8);
  CHECK(position_of(R"({"file":"Zm9v","data":"Zm9v"})") == 22);
  CHECK(position_of(R"({"file":"Zm9v"} x)") == 16);
  CHECK(position_of(R"({"file":"Zm9v"}, "a":1})") == 15);
}

TEST_CASE("what is wrong with a JSON body is told in a sentence of its own, with its place") {
  struct Case {
    std::string_view body, words;
    std::int64_t position;
  };
  const Case cases[] = {{R"({"file":"QQ==","x":tru})", "begins like true", 19},
                        {R"({"file":"QQ==","x":[1,nul]})", "begins like true", 22},
                        {R"({"file":"QQ==","x":{"y":fals},"z":1})", "begins like true", 24},
                        {R"({"file":"QQ==")", "no closing brace", -1},
                        {R"({"file":"QQ==",)", "no closing brace", -1},
                        {R"({"x":{"file":"{}\"}"})", "no closing brace", -1},
                        {R"({"file":"QQ=="}})", "Something follows", 15},
                        {R"({"file":"QQ=="} ])", "Something follows", 16},
                        {R"({"x":"\"}","file":"QQ=="} x)", "Something follows", 26},
                        {R"({"file":"QQ=="]})", "not well-formed", 14},
                        {R"([{"file":"QQ=="}])", "must be a JSON object", -1},
                        {"{\"x\":\"\\\"\",\n\"file\":\"QUJD\nQUJD\"}", "not escaped", 23},
                        {"{\"file\":\"QU\\\nJD\"}", "not escaped", 12},
                        {"{\"x\":\"\u00e9\u20ac\",\"file\":\"QUJD\xff\"}", "not valid UTF-8", 25},
                        {"{\"x\":\"\xed\xa0\x80\",\"file\":\"QUJD\"}", "not valid UTF-8", 6}};
  JsonParser parser;
  for (const Case& each : cases) {
    INFO(each.body);
    const auto upload = parse(parser, each.body);
    REQUIRE_FALSE(upload.ok());
    INFO(upload.error().operation);
    CHECK(std::string_view(upload.error().operation).find(each.words) != std::string_view::npos);
    CHECK(upload.error().position == each.position);
  }
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

TEST_CASE("a large JSON body is read by what stands around its file, as it would be read whole") {
  const std::string base64(5000, 'Q');
  const std::string escaped = base64 + R"(\/\/\\\\)";
  JsonParser parser;
  for (const std::string& file : {base64, escaped}) {
    for (const std::string& body :
         {R"({"file":")" + file + R"("})", R"( {"filename":"a\"b\\","data" : ")" + file + R"("} )",
          R"({"x":["\\","\"",{"file":"Zm9v"}],"content":")" + file +
              R"(","y":{"":null},"filename":"\u00e4"})"}) {
      INFO(body);
      const auto whole = parse(parser, body);
      const auto around = parse_around(parser, body, 1000);
      REQUIRE(whole.ok());
      REQUIRE(around.ok());
      CHECK(same(*whole, *around));
      CHECK(body.substr(around->file_offset, around->file_size) == file);
    }
  }
}

TEST_CASE("a large JSON body whose longest string is not its file is too large") {
  const std::string longest(3000, 'Q');
  JsonParser parser;
  for (const std::string& body :
       {R"({"file":"Zm9v","x":")" + longest + R"("})", R"({"file":"Zm9v",")" + longest + R"(":1})",
        R"({"filename":")" + longest + R"(","file":"Zm9v"})"}) {
    const auto upload = parse_around(parser, body, 1000);
    REQUIRE_FALSE(upload.ok());
    CHECK(upload.error().code == ErrorCode::kBodyTooLarge);
  }
}

TEST_CASE("a mistake in a large JSON body is told where it stands") {
  const std::string head = R"({"a":1,"file":")" + std::string(3000, 'Q') + R"(",)";
  JsonParser parser;
  for (const std::string& body :
       {head + R"("b":tru})", head + R"("data":"Zm9v"})", R"({"b":tru,)" + head.substr(1) + R"("c":1})"}) {
    const auto whole = parse(parser, body);
    const auto around = parse_around(parser, body, 1000);
    REQUIRE_FALSE(whole.ok());
    REQUIRE_FALSE(around.ok());
    CHECK(whole.error().position == around.error().position);
    CHECK(std::string(whole.error().operation) == around.error().operation);
  }
}

TEST_CASE("a JSON body with more than so much beside its longest string is too large, however it is made") {
  const auto check = [](const std::string& body, ErrorCode code) {
    INFO(body.substr(0, 40));
    const auto hole = find_longest_string(body, 1000);
    REQUIRE_FALSE(hole.ok());
    CHECK(hole.error().code == code);
  };
  check(std::string(1001, '['), ErrorCode::kBodyTooLarge);
  check(std::string(1000, ' ') + R"("")", ErrorCode::kBodyTooLarge);
  check('"' + std::string(4000, 'a') + R"(",")" + std::string(999, 'b') + '"', ErrorCode::kBodyTooLarge);
  std::string quotes;
  while (quotes.size() < 5000) quotes += R"("",)";
  check(quotes, ErrorCode::kBodyTooLarge);
  check('"' + std::string(4000, 'a'), ErrorCode::kBadBody);
  check('"' + std::string(4000, 'a') + "\\\"", ErrorCode::kBadBody);
  const std::string most = std::string(500, ' ') + '"' + std::string(4000, 'a') + '"' + std::string(498, ' ');
  REQUIRE(find_longest_string(most, 1000).ok());
  CHECK(find_longest_string(most, 1000)->offset == 501);
  CHECK(find_longest_string(most, 1000)->size == 4000);
}

TEST_CASE("a JSON body over what is parsed whole is not given to the parser") {
  JsonParser parser;
  const std::string body = R"({"file":")" + std::string(JsonParser::kWholeBytesMax, 'Q') + R"("})";
  CHECK(parse(parser, body).error().code == ErrorCode::kBodyTooLarge);
  CHECK(parse_around(parser, body, 1000)->file_size == JsonParser::kWholeBytesMax);
}
