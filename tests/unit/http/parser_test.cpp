#include "worker/http/parser.h"

#include <string>

#include "support/catch.h"
#include "support/transcript.h"

namespace forklift {
namespace {

/// One head, parsed from its own text.
struct Parsed {
  explicit Parsed(std::string text, const Limits& limits = {}) : parser(limits) {
    fed = parser.feed_head(std::as_bytes(std::span(text)));
  }
  bool complete() const { return fed.state == RequestParser::HeadState::kComplete; }
  const RequestHead& head() const { return parser.head(); }

  RequestParser parser;
  RequestParser::Head fed;
};

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string chunked(const std::string& body) {
  return "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

std::string body_of(const std::string& transcript) {
  const std::size_t begin = transcript.find("body(");
  return begin == std::string::npos ? transcript : transcript.substr(begin);
}

}  // namespace

TEST_CASE("the parser takes a request apart") {
  const std::string text =
      "PUT /files/a%20b?x=1&y HTTP/1.1\r\nHost: example.org:8000\r\nX-Empty:\r\nx-a:  b c\t \r\n"
      "Content-Length: 5\r\n\r\nhello";
  Parsed parsed(text);
  REQUIRE(parsed.complete());
  CHECK(text.substr(parsed.fed.consumed) == "hello");
  CHECK(parsed.head().method == Method::kPut);
  CHECK(parsed.head().method_name == "PUT");
  CHECK(parsed.head().target == "/files/a%20b?x=1&y");
  CHECK(parsed.head().path == "/files/a%20b");
  CHECK(parsed.head().query == "x=1&y");
  CHECK(parsed.head().http_minor == 1);
  REQUIRE(parsed.head().fields.size() == 4);
  CHECK(parsed.head().fields[1].name == "X-Empty");
  CHECK(parsed.head().fields[1].value.empty());
  CHECK(parsed.head().field("X-A") == "b c");
  CHECK(parsed.head().field("nowhere").empty());
  CHECK(parsed.head().content_length == 5);
  CHECK(parsed.head().has_body());
  CHECK(parsed.head().keep_alive);
}

TEST_CASE("the parser knows the methods of this server and lets the routes refuse the rest") {
  CHECK(Parsed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").head().method == Method::kHead);
  CHECK(Parsed("POST / HTTP/1.1\r\nHost: a\r\n\r\n").head().method == Method::kPost);
  CHECK(Parsed("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").head().method == Method::kDelete);
  Parsed patch("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(patch.complete());
  CHECK(patch.head().method == Method::kOther);
  CHECK(patch.head().method_name == "PATCH");
}

TEST_CASE("a connection is kept as its version and its options say") {
  const std::string old = "GET / HTTP/1.0\r\n";
  CHECK(Parsed(get("/")).head().keep_alive);
  CHECK_FALSE(Parsed(get("/", "Connection: close\r\n")).head().keep_alive);
  CHECK_FALSE(Parsed(get("/", "Connection: x, CLOSE ,y\r\n")).head().keep_alive);
  CHECK_FALSE(Parsed(get("/", "Connection: keep-alive\r\nConnection: close\r\n")).head().keep_alive);
  CHECK_FALSE(Parsed(old + "\r\n").head().keep_alive);
  CHECK(Parsed(old + "Connection: Keep-Alive\r\n\r\n").head().keep_alive);
  CHECK(Parsed(old + "\r\n").head().http_minor == 0);
}

TEST_CASE("a target in absolute form means its path") {
  CHECK(Parsed(get("http://b:80/x/y?q")).head().path == "/x/y");
  CHECK(Parsed(get("http://b:80/x/y?q")).head().query == "q");
  CHECK(Parsed(get("HTTPS://b")).head().path == "/");
  CHECK(Parsed(get("http://[::1]?q")).head().path == "/");
  CHECK(Parsed(get("http://[::1]?q")).head().query == "q");
}

TEST_CASE("an asterisk is a target of OPTIONS alone") {
  Parsed options("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(options.complete());
  CHECK(options.head().path == "*");
  CHECK(transcript_of(get("*")) == "refused 400 malformed-request\n");
}

TEST_CASE("a client may wait for 100 when it has a body to send") {
  CHECK(Parsed(get("/", "Expect: 100-Continue\r\nContent-Length: 1\r\n")).head().expects_continue);
  CHECK_FALSE(Parsed(get("/", "Expect: 100-continue\r\n")).head().expects_continue);
  CHECK_FALSE(
      Parsed("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").head().expects_continue);
  CHECK(transcript_of(get("/", "Expect: tea\r\n")) == "refused 417 expectation-unknown\n");
}

TEST_CASE("a wish to change the protocol is ignored") {
  const std::string upgrade = "Upgrade: h2c\r\nConnection: upgrade\r\n";
  CHECK(transcript_of(get("/a", upgrade) + get("/b")) ==
        "GET /a = /a ?  1.1 [Host|a] [Upgrade|h2c] [Connection|upgrade] keep-alive body()\n"
        "GET /b = /b ?  1.1 [Host|a] keep-alive body()\n");
  CHECK(body_of(transcript_of("PUT / HTTP/1.1\r\nHost: a\r\n" + upgrade +
                              "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" + get("/b"))) ==
        "body(x)\nGET /b = /b ?  1.1 [Host|a] keep-alive body()\n");
}

TEST_CASE("empty lines before a request are skipped and start nothing") {
  Parsed parsed("\r\n\r\n");
  CHECK(parsed.fed.consumed == 4);
  CHECK_FALSE(parsed.parser.head_started());
  CHECK(transcript_of("\r\n" + get("/") + "\r\n\r\n" + get("/b")) ==
        "GET / = / ?  1.1 [Host|a] keep-alive body()\nGET /b = /b ?  1.1 [Host|a] keep-alive body()\n");
  CHECK(transcript_of(std::string("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n")) ==
        "refused 400 malformed-request\n");
}

TEST_CASE("requests follow one another on one connection") {
  const std::string put = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  const std::string two_chunked = chunked("2\r\nde\r\n0\r\n\r\n") + chunked("0\r\nT: t\r\n\r\n");
  CHECK(transcript_of(put + two_chunked + get("/z")) ==
        "PUT /x = /x ?  1.1 [Host|a] [Content-Length|3] keep-alive body(abc)\n"
        "PUT /x = /x ?  1.1 [Host|a] [Transfer-Encoding|chunked] keep-alive body(de)\n"
        "PUT /x = /x ?  1.1 [Host|a] [Transfer-Encoding|chunked] keep-alive body()\n"
        "GET /z = /z ?  1.1 [Host|a] keep-alive body()\n");
}

TEST_CASE("a chunked body is decoded in place, its first piece where it lay") {
  RequestParser parser{Limits()};
  const std::string head = chunked("");
  REQUIRE(parser.feed_head(std::as_bytes(std::span(head))).state == RequestParser::HeadState::kComplete);
  std::string body = "4;x=\"y z\"\r\nabcd\r\n0A\r\n0123456789\r\n00\r\nTrailer: t\r\n\r\nGET /";
  const auto decoded = parser.decode_chunked(std::as_writable_bytes(std::span(body)));
  REQUIRE(decoded.ok());
  CHECK(decoded->offset == 11);
  CHECK(decoded->size == 14);
  CHECK(body.substr(decoded->offset, decoded->size) == "abcd0123456789");
  CHECK(decoded->complete);
  CHECK(body.substr(decoded->consumed) == "GET /");
}

TEST_CASE("the parser holds its limits while bytes arrive") {
  Limits limits;
  limits.header_bytes_max = 200;
  limits.header_count_max = 3;
  limits.target_bytes_max = 50;
  const std::string line = "GET / HTTP/1.1\r\n";
  CHECK(transcript_of("GET /" + std::string(49, 'a') + " ", limits) == "in a head\n");
  CHECK(transcript_of("GET /" + std::string(50, 'a'), limits) == "refused 414 target-too-long\n");
  CHECK(transcript_of(line + "A: " + std::string(181, 'a'), limits) == "in a head\n");
  CHECK(transcript_of(line + "A: " + std::string(182, 'a'), limits) == "refused 431 head-too-large\n");
  CHECK(transcript_of(line + "A: 1\r\nB: 2\r\nC: 3\r\n", limits) == "in a head\n");
  CHECK(transcript_of(line + "A: 1\r\nB: 2\r\nC: 3\r\nD", limits) == "refused 431 too-many-fields\n");
  const std::string chunks = chunked("0\r\n");
  CHECK(body_of(transcript_of(chunks + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits)) == "body()\n");
  CHECK(transcript_of(chunks + "A: 1\r\nB: 2\r\nC: 3\r\nD", limits) == "refused 431 too-many-fields\n");
  CHECK(transcript_of(chunks + "A: " + std::string(198, 'a'), limits) == "refused 431 head-too-large\n");
}

TEST_CASE("chunk framing must not cost more than the body is worth") {
  const auto extension = [](std::size_t bytes) { return "1;" + std::string(bytes, 'a') + "\r\nx\r\n"; };
  std::string many;
  for (int i = 0; i < 5; ++i) many += extension(4000);
  CHECK(body_of(transcript_of(chunked(extension(4000) + "0\r\n\r\n"))) == "body(x)\n");
  CHECK(transcript_of(chunked(extension(5000))) == "refused 400 chunk-excess\n");
  CHECK(transcript_of(chunked(many)) == "refused 400 chunk-excess\n");
  CHECK(transcript_of(chunked(std::string(5000, '0') + "1\r\nx\r\n")) == "refused 400 chunk-excess\n");
  std::string small;
  for (int i = 0; i < 40000; ++i) small += "1\r\nx\r\n";
  CHECK(transcript_of(chunked(small + "0\r\n\r\n")).find("refused") == std::string::npos);
}

TEST_CASE("a refused parser stays refused") {
  Parsed parsed("GET /\r\n");
  REQUIRE(parsed.fed.state == RequestParser::HeadState::kRefused);
  const std::string more = get("/");
  CHECK(parsed.parser.feed_head(std::as_bytes(std::span(more))).state == RequestParser::HeadState::kRefused);
  CHECK(parsed.parser.refusal().status == 400);
}

}  // namespace forklift
