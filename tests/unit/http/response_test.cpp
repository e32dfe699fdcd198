#include "worker/http/response.h"

#include <limits>

#include "support/catch.h"

namespace forklift {
namespace {

std::string head_of(const ResponseHead& head) {
  std::string out;
  append_head(out, head, "DATE");
  return out;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

ResponseHead head_with_length(int status) {
  ResponseHead head;
  head.status = status;
  head.content_length = 0;
  return head;
}

}  // namespace

TEST_CASE("a response head says what it was given, in one piece") {
  ResponseHead head;
  head.content_type = "text/plain";
  head.content_length = 18446744073709551615u;
  head.request_id = "id";
  head.etag = "\"e\"";
  head.last_modified = 784111777;
  CHECK(head_of(head) ==
        "HTTP/1.1 200 OK\r\nDate: DATE\r\nServer: forklift\r\nContent-Type: text/plain\r\n"
        "Content-Length: 18446744073709551615\r\nETag: \"e\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 "
        "GMT\r\n"
        "X-Request-Id: id\r\n\r\n");
  head = {};
  head.status = 405;
  head.allow = "GET, HEAD";
  head.location = "/files/a";
  head.retry_after_s = 12;
  CHECK(head_of(head) ==
        "HTTP/1.1 405 Method Not Allowed\r\nDate: DATE\r\nServer: forklift\r\nLocation: /files/a\r\n"
        "Allow: GET, HEAD\r\nRetry-After: 12\r\n\r\n");
}

TEST_CASE("a response head has the lines it was given whole") {
  ResponseHead head;
  head.status = 206;
  head.content_range = "bytes 1-2/3";
  head.content_disposition = "attachment";
  head.strategy = "sendfile";
  head.durability = "data";
  head.fields = "A: b\r\nC: d\r\n";
  CHECK(head_of(head) ==
        "HTTP/1.1 206 Partial Content\r\nDate: DATE\r\nServer: forklift\r\nContent-Range: bytes 1-2/3\r\n"
        "Content-Disposition: attachment\r\nForklift-Strategy: sendfile\r\nForklift-Durability: data\r\nA: "
        "b\r\nC: d\r\n\r\n");
}

TEST_CASE("a response head is appended") {
  std::string out = "before";
  append_head(out, {}, "DATE");
  CHECK(out.substr(0, 10) == "beforeHTTP");
}

TEST_CASE("what becomes of the connection is said where it is not the version's habit") {
  ResponseHead head;
  CHECK_FALSE(has(head_of(head), "Connection"));
  head.keep_alive = false;
  CHECK(has(head_of(head), "\r\nConnection: close\r\n"));
  head.http_minor = 0;
  CHECK(has(head_of(head), "\r\nConnection: close\r\n"));
  head.keep_alive = true;
  CHECK(has(head_of(head), "\r\nConnection: keep-alive\r\n"));
}

TEST_CASE("an answer that has no body by its status has no length") {
  CHECK(has(head_of(head_with_length(200)), "Content-Length: 0\r\n"));
  CHECK(has(head_of(head_with_length(404)), "Content-Length: 0\r\n"));
  CHECK_FALSE(has(head_of(head_with_length(204)), "Content-Length"));
  CHECK_FALSE(has(head_of(head_with_length(304)), "Content-Length"));
  CHECK_FALSE(has(head_of(head_with_length(100)), "Content-Length"));
}

TEST_CASE("dates are written as HTTP wants them") {
  const auto date = [](std::time_t time) {
    std::string out;
    append_http_date(out, time);
    return out;
  };
  CHECK(date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(date(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(date(4102444799) == "Thu, 31 Dec 2099 23:59:59 GMT");
  CHECK(date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(date(std::numeric_limits<std::time_t>::min()) == "Sat, 01 Jan 0000 00:00:00 GMT");
  CHECK(date(std::numeric_limits<std::time_t>::max()) == "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST_CASE("the date of answers follows the clock, backwards too") {
  DateCache dates;
  CHECK(dates.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(dates.text(1) == "Thu, 01 Jan 1970 00:00:01 GMT");
  CHECK(dates.text(1) == "Thu, 01 Jan 1970 00:00:01 GMT");
  CHECK(dates.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST_CASE("the interim answer is a head of its own") {
  CHECK(continue_head() == "HTTP/1.1 100 Continue\r\n\r\n");
}

}  // namespace forklift
