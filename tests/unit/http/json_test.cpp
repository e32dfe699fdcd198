#include "worker/http/json.h"

#include <nlohmann/json.hpp>

#include "support/catch.h"

namespace forklift {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("a JSON string says what was put in, quotes and control characters escaped") {
  CHECK(json_of("") == R"("")");
  CHECK(json_of("a\"b\\c/\n\x7f") == R"("a\"b\\c/\u000a\u007f")");
  CHECK(json_of(std::string_view("\0", 1)) == R"("\u0000")");
  for (const std::string text : {"plain", "h\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80 \t\r\n\"\\"}) {
    CHECK(nlohmann::json::parse(json_of(text)).get<std::string>() == text);
  }
}

TEST_CASE("a JSON string is UTF-8 whatever was put in") {
  const std::string replaced = "\"\xEF\xBF\xBD\"";
  CHECK(json_of("\xFF") == replaced);
  CHECK(json_of("\xC3") == replaced);  // ends too early
  CHECK(json_of("a\xE2\x82z") == "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
  for (const std::string bad : {"\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                                "\xF4\x90\x80\x80", "\x80", "\xF5\x80\x80\x80"}) {
    const std::string out = json_of(bad);
    CHECK(out.find("\xEF\xBF\xBD") == 1);
    CHECK(nlohmann::json::accept(out));
  }
}

TEST_CASE("every pair of bytes becomes JSON that others can read") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char text[] = {static_cast<char>(first), static_cast<char>(second), 'z'};
      const std::string out = json_of(std::string_view(text, 3));
      if (!nlohmann::json::accept(out)) FAIL(out);
    }
  }
}

}  // namespace forklift
