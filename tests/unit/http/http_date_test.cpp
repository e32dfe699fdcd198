#include "worker/http/http_date.h"

#include <random>
#include <string>

#include "support/catch.h"
#include "worker/http/response.h"

namespace forklift {
namespace {

constexpr std::time_t kIn2024 = 1704067200;

std::optional<std::time_t> parse(std::string_view text, std::time_t now = kIn2024) {
  return parse_http_date(text, now);
}

}  // namespace

TEST_CASE("the three spellings of a date mean the same time") {
  CHECK(parse("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(parse("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(parse("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(parse("Wed Nov 16 08:49:37 1994") == 784975777);
}

TEST_CASE("every date that this server writes can be read") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto time = static_cast<std::time_t>(random() % 253402300800u);  // up to the year 9999
    std::string text;
    append_http_date(text, time);
    CAPTURE(text);
    REQUIRE(parse(text) == time);
  }
}

TEST_CASE("days and times that do not exist are no dates") {
  CHECK(parse("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800);
  CHECK(parse("Thu, 31 Dec 1998 23:59:60 GMT") == 915148800);
  CHECK(parse("Fri, 31 Dec 0000 23:59:59 GMT") == -62135596801);
  for (const char* text : {
           "Wed, 29 Feb 2023 00:00:00 GMT",
           "Wed, 31 Apr 2024 00:00:00 GMT",
           "Wed, 00 Apr 2024 00:00:00 GMT",
           "Wed, 32 Jan 2024 00:00:00 GMT",
           "Wed, 01 Jan 2024 24:00:00 GMT",
           "Wed, 01 Jan 2024 00:60:00 GMT",
           "Wed, 01 Jan 2024 00:00:61 GMT",
           "Wed Feb 30 00:00:00 2024",
           "Wednesday, 31-Jun-24 00:00:00 GMT",
       }) {
    CAPTURE(text);
    CHECK_FALSE(parse(text));
  }
}

TEST_CASE("what is spelled otherwise is no date") {
  for (const char* text : {
           "",
           " ",
           "Sun",
           "0",
           "784111777",
           "Sun, 06 Nov 1994 08:49:37",
           "Sun, 06 Nov 1994 08:49:37 UTC",
           "Sun, 06 Nov 1994 08:49:37 GMT ",
           " Sun, 06 Nov 1994 08:49:37 GMT",
           "sun, 06 Nov 1994 08:49:37 GMT",
           "Sun, 06 nov 1994 08:49:37 GMT",
           "Sun, 6 Nov 1994 08:49:37 GMT",
           "Sun, 06 Nov 94 08:49:37 GMT",
           "Sun, 06 Nov 1994 8:49:37 GMT",
           "Sun, 06 Nov 1994 08:49 GMT",
           "Sun, 06-Nov-1994 08:49:37 GMT",
           "Sunday, 06 Nov 1994 08:49:37 GMT",
           "Sun, 06-Nov-94 08:49:37 GMT",
           "Sun Nov 6 08:49:37 1994",
           "Sun Nov 06 08:49:37 19941",
           "Sun Nov  6 08:49:37 1994 GMT",
           "Xyz, 06 Nov 1994 08:49:37 GMT",
           "Sun, +6 Nov 1994 08:49:37 GMT",
           "Sun, 06 Nov -994 08:49:37 GMT",
           "Sun, 06 Nov 1994 08:49:37 +0000",
           "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
           "1994-11-06T08:49:37Z",
       }) {
    CAPTURE(text);
    CHECK_FALSE(parse(text));
  }
}

TEST_CASE("a year of two digits is at most 50 years ahead") {
  CHECK(parse("Friday, 01-Jan-74 00:00:00 GMT") == 3281990400);              // 2074
  CHECK(parse("Friday, 01-Jan-75 00:00:00 GMT") == 157766400);               // 1975
  CHECK(parse("Friday, 01-Jan-00 00:00:00 GMT") == 946684800);               // 2000
  CHECK(parse("Friday, 01-Jan-99 00:00:00 GMT") == 915148800);               // 1999
  CHECK(parse("Friday, 01-Jan-20 00:00:00 GMT", 3471292800) == 4733510400);  // seen from 2080: 2120
}

}  // namespace forklift
