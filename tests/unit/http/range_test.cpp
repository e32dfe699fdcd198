#include "worker/http/range.h"

#include <algorithm>
#include <random>
#include <string>

#include "support/catch.h"

namespace forklift {
namespace {

using Kind = RangeChoice::Kind;

constexpr std::time_t kNow = 1704067200;
constexpr std::uint64_t kHuge = 18446744073709551615u;
const Validators kFile{"\"own\"", 784111777};

/// "whole", "unsatisfiable", or "0-1 5-6".
std::string text_of(const RangeChoice& choice) {
  if (choice.kind == Kind::kWhole) return choice.ranges.empty() ? "whole" : "whole with ranges";
  if (choice.kind == Kind::kUnsatisfiable) return choice.ranges.empty() ? "unsatisfiable" : "both";
  const bool single = choice.ranges.size() == 1;
  if (single != (choice.kind == Kind::kSingle)) return "kind and count differ";
  std::string text;
  for (const ByteRange& range : choice.ranges) {
    if (!text.empty()) text += ' ';
    text += std::to_string(range.first) + '-' + std::to_string(range.last);
  }
  return text;
}

std::string read(std::string_view value, std::uint64_t size = 10000) {
  return text_of(parse_range(value, size));
}

std::string choose(const std::vector<HeaderField>& fields, Method method = Method::kGet) {
  RequestHead head;
  head.method = method;
  head.fields = fields;
  return text_of(choose_range(head, 10000, kFile, kNow));
}

/// Every range alone, `gap` bytes between two, the last one first.
std::string scattered(std::size_t count, std::uint64_t gap = 1000) {
  std::string value = "bytes=";
  for (std::size_t i = count; i-- > 0;) {
    const std::uint64_t at = i * (gap + 1);
    value += std::to_string(at) + '-' + std::to_string(at) + (i > 0 ? "," : "");
  }
  return value;
}

}  // namespace

TEST_CASE("the examples of RFC 9110, 14.1.2 mean what it says") {
  CHECK(read("bytes=0-499") == "0-499");
  CHECK(read("bytes=500-999") == "500-999");
  CHECK(read("bytes=-500") == "9500-9999");
  CHECK(read("bytes=9500-") == "9500-9999");
  CHECK(read("bytes=0-0,-1") == "0-0 9999-9999");
  CHECK(read("bytes= 0-999, 4500-5499, -1000") == "0-999 4500-5499 9000-9999");
  CHECK(read("bytes=500-600,601-999") == "500-999");
  CHECK(read("bytes=500-700,601-999") == "500-999");
}

TEST_CASE("a range is cut to the bytes there are") {
  CHECK(read("bytes=0-") == "0-9999");
  CHECK(read("bytes=0-9999") == "0-9999");
  CHECK(read("bytes=9999-10000") == "9999-9999");
  CHECK(read("bytes=9999-") == "9999-9999");
  CHECK(read("bytes=-10000") == "0-9999");
  CHECK(read("bytes=-10001") == "0-9999");
  CHECK(read("BYTES=1-2") == "1-2");
  CHECK(read("bytes=5-99999999999999999999999999") == "5-9999");
  CHECK(read("bytes=-99999999999999999999999999") == "0-9999");
  CHECK(read("bytes=0-0", 1) == "0-0");
  CHECK(read("bytes=18446744073709551614-", kHuge) == "18446744073709551614-18446744073709551614");
  CHECK(read("bytes=-18446744073709551615,0-", kHuge) == "0-18446744073709551614");
}

TEST_CASE("ranges beyond the end can't be satisfied, unless one of them can") {
  CHECK(read("bytes=10000-") == "unsatisfiable");
  CHECK(read("bytes=10000-10001,20000-") == "unsatisfiable");
  CHECK(read("bytes=-0") == "unsatisfiable");
  CHECK(read("bytes=99999999999999999999999999-") == "unsatisfiable");
  CHECK(read("bytes=18446744073709551615-", kHuge) == "unsatisfiable");
  CHECK(read("bytes=10000-,5-6") == "5-6");
  CHECK(read("bytes=-0,5-6,20000-30000") == "5-6");
}

TEST_CASE("a Range that is malformed or of another unit is ignored, all of it") {
  for (const char* value : {"",
                            "bytes",
                            "bytes=",
                            "bytes=,",
                            "bytes= , ",
                            "bytes=-",
                            "bytes=1",
                            "bytes=a-b",
                            "bytes=1-b",
                            "bytes=5-4",
                            "bytes=0-1,5-4",
                            "bytes=0-1;5-6",
                            "bytes=--1",
                            "bytes=-1-",
                            "bytes=1-2-3",
                            "bytes=0x1-0x2",
                            "bytes=+1-2",
                            "bytes=1 - 2",
                            "bytes=1- 2",
                            "bytes =0-1",
                            "bytes:0-1",
                            "items=0-1",
                            "bytes=0-1,x",
                            "bytes=0-1, bytes=4-5",
                            "bytes=0-1 4-5",
                            "bytes=99999999999999999999999999-5",
                            " bytes=0-1"}) {
    CAPTURE(value);
    CHECK(read(value) == "whole");
  }
  CHECK(read("bytes=,0-1,, \t,5000-5001,") == "0-1 5000-5001");
}

TEST_CASE("an empty file is sent whole") {
  CHECK(read("bytes=0-", 0) == "whole");
  CHECK(read("bytes=-1", 0) == "whole");
  CHECK(read("bytes=100-", 0) == "whole");
}

TEST_CASE("ranges that overlap or all but touch are one; the others keep their order") {
  CHECK(read("bytes=0-0,80-80") == "0-80");
  CHECK(read("bytes=0-0,81-81") == "0-0 81-81");
  CHECK(read("bytes=5000-5001,0-1,5002-5003") == "5000-5003 0-1");
  CHECK(read("bytes=9000-,100-200,-500,0-50") == "9000-9999 0-200");
  CHECK(read("bytes=0-9999,1-1,2-2,5000-") == "0-9999");
  CHECK(read("bytes=5-5,5-5,5-5") == "5-5");
}

TEST_CASE("more ranges apart than the most there may be are ignored") {
  CHECK(parse_range(scattered(kRangesMax), 1000000).ranges.size() == kRangesMax);
  CHECK(parse_range(scattered(kRangesMax), 1000000).ranges.back() == ByteRange{0, 0});
  CHECK(read(scattered(kRangesMax + 1), 1000000) == "whole");
  CHECK(parse_range(scattered(3), 1000000, 2).kind == Kind::kWhole);
  CHECK(read(scattered(2000, 10), 1000000) == "0-21989");  // many, but one after all
}

TEST_CASE("If-Range guards a Range") {
  CHECK(choose({{"Range", "bytes=1-2"}}) == "1-2");
  CHECK(choose({{"Range", "bytes=1-2"}, {"If-Range", "\"own\""}}) == "1-2");
  CHECK(choose({{"range", "bytes=1-2"}, {"if-range", "Sun, 06 Nov 1994 08:49:37 GMT"}}) == "1-2");
  CHECK(choose({{"Range", "bytes=1-2"}, {"If-Range", "Sunday, 06-Nov-94 08:49:37 GMT"}}) == "1-2");
  for (const char* value : {"\"other\"", "W/\"own\"", "\"own\", \"own\"", "*", "own", "",
                            "Sun, 06 Nov 1994 08:49:38 GMT", "Sun, 06 Nov 1994 08:49:36 GMT", "tomorrow"}) {
    CAPTURE(value);
    CHECK(choose({{"Range", "bytes=1-2"}, {"If-Range", value}}) == "whole");
    CHECK(choose({{"Range", "bytes=20000-"}, {"If-Range", value}}) == "whole");
  }
  CHECK(choose({{"If-Range", "\"own\""}}) == "whole");
  CHECK(choose({{"Range", "bytes=20000-"}, {"If-Range", "\"own\""}}) == "unsatisfiable");
}

TEST_CASE("a date guards a Range once the second it names is surely over") {
  const char* date = "Sun, 06 Nov 1994 08:49:37 GMT";
  CHECK(if_range_holds(date, kFile, kFile.last_modified + 2));
  CHECK(if_range_holds(date, kFile, kNow));
  for (const std::time_t after : {1, 0, -1, -100000})
    CHECK_FALSE(if_range_holds(date, kFile, kFile.last_modified + after));
  CHECK(if_range_holds("\"own\"", kFile, kFile.last_modified));
}

TEST_CASE("Range is for GET, once") {
  CHECK(choose({{"Range", "bytes=1-2"}}, Method::kHead) == "whole");
  CHECK(choose({{"Range", "bytes=1-2"}}, Method::kPut) == "whole");
  CHECK(choose({{"Range", "bytes=1-2"}, {"Range", "bytes=5-6"}}) == "whole");
  CHECK(choose({}) == "whole");
}

namespace {

/// The runs of bytes that the specs ask for, byte by byte; gaps of less than kRangeGapMin are filled.
std::vector<ByteRange> naive_runs(const std::vector<ByteRange>& asked, std::uint64_t size) {
  std::vector<bool> wanted(size);
  for (const ByteRange& one : asked) {
    for (std::uint64_t at = one.first; at <= one.last && at < size; ++at) wanted[at] = true;
  }
  std::vector<ByteRange> runs;
  for (std::uint64_t at = 0; at < size; ++at) {
    if (!wanted[at]) continue;
    if (!runs.empty() && at - runs.back().last - 1 < kRangeGapMin) {
      runs.back().last = at;
    } else {
      runs.push_back({at, at});
    }
  }
  return runs;
}

/// The text of a random range, in any of its three shapes; adds to `asked` what of it there is.
std::string random_spec(std::mt19937& random, std::uint64_t size, std::vector<ByteRange>& asked) {
  const std::uint64_t first = random() % (size + size / 4 + 1);
  const std::uint64_t shape = random() % 8;
  if (shape == 0) {
    if (first < size) asked.push_back({first, size - 1});
    return std::to_string(first) + '-';
  }
  if (shape == 1) {
    if (first > 0) asked.push_back({first < size ? size - first : 0, size - 1});
    return '-' + std::to_string(first);
  }
  const std::uint64_t last = first + random() % 60;
  if (first < size) asked.push_back({first, std::min(last, size - 1)});
  return std::to_string(first) + '-' + std::to_string(last);
}

/// The ranges must come in the order in which the first range inside each was asked for.
bool in_order_of(const std::vector<ByteRange>& asked, const std::vector<ByteRange>& given) {
  std::size_t before = 0;
  for (const ByteRange& range : given) {
    std::size_t place = 0;
    while (place < asked.size() && (asked[place].first < range.first || asked[place].last > range.last))
      ++place;
    if (place == asked.size() || (place < before)) return false;
    before = place;
  }
  return true;
}

}  // namespace

TEST_CASE("random ranges carry the bytes that a look at every byte finds") {
  std::mt19937 random(5);
  int several = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::uint64_t size = 1 + random() % 3000;
    std::vector<ByteRange> asked;
    std::string value = "bytes=";
    for (auto count = 1 + random() % 12; count > 0; --count) {
      value += random_spec(random, size, asked) + (count > 1 ? ", " : "");
    }
    const RangeChoice choice = parse_range(value, size, 100);
    CAPTURE(value, size);
    const std::vector<ByteRange> runs = naive_runs(asked, size);
    REQUIRE((choice.kind == Kind::kUnsatisfiable) == runs.empty());
    REQUIRE(in_order_of(asked, choice.ranges));
    std::vector<ByteRange> sorted = choice.ranges;
    std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.first < b.first; });
    REQUIRE(sorted == runs);
    REQUIRE((choice.kind == Kind::kSeveral) == (runs.size() > 1));
    several += choice.kind == Kind::kSeveral;
  }
  CHECK(several > 2000);
}

}  // namespace forklift
