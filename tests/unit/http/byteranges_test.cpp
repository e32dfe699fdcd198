#include "worker/http/byteranges.h"

#include <random>
#include <set>

#include "support/catch.h"

namespace forklift {

TEST_CASE("Content-Range counts both ends") {
  CHECK(content_range({0, 499}, 1234) == "bytes 0-499/1234");
  CHECK(content_range({18446744073709551613u, 18446744073709551614u}, 18446744073709551615u) ==
        "bytes 18446744073709551613-18446744073709551614/18446744073709551615");
  CHECK(unsatisfied_content_range(1234) == "bytes */1234");
}

TEST_CASE("the parts of a multipart answer are framed as RFC 9110, 15.3.7.2 shows") {
  const ByterangesFrame frame("THIS_STRING_SEPARATES", "application/pdf", 8000);
  CHECK(frame.content_type() == "multipart/byteranges; boundary=THIS_STRING_SEPARATES");
  CHECK(frame.part_head({500, 999}) ==
        "\r\n--THIS_STRING_SEPARATES\r\nContent-Type: application/pdf\r\n"
        "Content-Range: bytes 500-999/8000\r\n\r\n");
  CHECK(frame.end() == "\r\n--THIS_STRING_SEPARATES--\r\n");
  CHECK(ByterangesFrame("B", "", 9).part_head({1, 2}) == "\r\n--B\r\nContent-Range: bytes 1-2/9\r\n\r\n");
}

TEST_CASE("the length of a multipart answer is that of the bytes it has") {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    const std::uint64_t size = 1 + random() % 100000;
    const ByterangesFrame frame("b0undary", round % 2 ? "text/plain; charset=utf-8" : "", size);
    std::vector<ByteRange> ranges;
    std::string body;
    for (auto count = 2 + random() % 10; count > 0; --count) {
      const std::uint64_t first = random() % size;
      ranges.push_back({first, first + random() % (size - first)});
      body += frame.part_head(ranges.back()) + std::string(ranges.back().size(), 'x');
    }
    body += frame.end();
    REQUIRE(frame.content_length(ranges) == body.size());
  }
}

TEST_CASE("a multipart answer gives text and ranges in turn, as long as it said") {
  const std::vector<ByteRange> ranges = {{7, 9}, {0, 0}, {100, 199}};
  const ByterangesFrame frame("B", "text/plain", 1000);
  ByterangesBody body(frame, ranges);
  std::uint64_t size = 0;
  for (const ByteRange& range : ranges) {
    const auto piece = body.next();
    CHECK(piece.text == frame.part_head(range));
    CHECK(piece.range == range);
    size += piece.text.size() + range.size();
  }
  const auto last = body.next();
  CHECK(last.text == frame.end());
  CHECK_FALSE(last.range);
  CHECK(body.content_length() == size + last.text.size());
}

TEST_CASE("a boundary is hard to guess") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string boundary = random_boundary();
    CHECK(boundary.size() == 32);
    CHECK(boundary.find_first_not_of("0123456789abcdef") == boundary.npos);
    CHECK(seen.insert(boundary).second);
  }
}

TEST_CASE("a multipart answer too long to say has no length") {
  constexpr std::uint64_t kSize = 18446744073709551615u;
  const ByterangesFrame frame("B", "", kSize);
  CHECK_FALSE(frame.content_length({{0, kSize - 2}, {kSize - 1, kSize - 1}}));
  CHECK_FALSE(frame.content_length({{0, kSize - 100}, {kSize - 1, kSize - 1}}));
  CHECK(frame.content_length({{0, kSize / 2}, {kSize - 1, kSize - 1}}) > kSize / 2);
}

}  // namespace forklift
