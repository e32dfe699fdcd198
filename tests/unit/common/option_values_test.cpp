#include "common/option_values.h"

#include "support/catch.h"

using namespace forklift;

TEST_CASE("sizes are bytes, or have a unit of 1024") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("65536") == 65536);
  CHECK(parse_size("64M") == 64 << 20);
  CHECK(parse_size("64m") == 64 << 20);
  CHECK(parse_size("8MiB") == 8 << 20);
  CHECK(parse_size("8MB") == 8 << 20);
  CHECK(parse_size("3k") == 3072);
  CHECK(parse_size("16G") == 16LL << 30);
  CHECK(parse_size("2T") == 2LL << 40);
  CHECK(parse_size("7B") == 7);
}

TEST_CASE("what is not a size is refused") {
  for (const char* text : {"", "M", "-1", "+1", " 1", "1 M", "1.5M", "1X", "1MM", "0x10", "1iB",
                           "9223372036854775808", "9007199254740993G"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("durations are seconds, or have a unit") {
  CHECK(parse_duration_ms("0") == 0);
  CHECK(parse_duration_ms("30") == 30'000);
  CHECK(parse_duration_ms("0.5") == 500);
  CHECK(parse_duration_ms("30s") == 30'000);
  CHECK(parse_duration_ms("500ms") == 500);
  CHECK(parse_duration_ms("5m") == 300'000);
  CHECK(parse_duration_ms("1.5h") == 5'400'000);
  CHECK(parse_duration_ms("2d") == 172'800'000);
}

TEST_CASE("what is not a duration is refused, and no small one becomes never") {
  for (const char* text : {"", "s", "-1s", "1 s", "1w", "1S", ".5", "1..5", "1e3", "inf", "nan", "0.0001",
                           "0.1ms", "99999999999999d"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration_ms(text));
  }
}

TEST_CASE("octal numbers are octal with any prefix") {
  CHECK(parse_octal("27") == 027);
  CHECK(parse_octal("027") == 027);
  CHECK(parse_octal("0o27") == 027);
  CHECK_FALSE(parse_octal("28"));
  CHECK_FALSE(parse_octal(""));
  CHECK_FALSE(parse_octal("-7"));
  CHECK(format_octal(027) == "027");
}

TEST_CASE("counts are decimal digits alone") {
  CHECK(parse_count("12") == 12);
  for (const char* text : {"", "-1", "+1", "1.0", "0x1", "1 ", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_count(text));
  }
}

TEST_CASE("every formatted value parses to itself") {
  for (const std::int64_t number : {0LL, 1LL, 1000LL, 1023LL, 1024LL, 1500LL, 65'537LL, 3LL << 20, 16LL << 30,
                                    86'400'000LL, 90'000LL, 3'600'001LL}) {
    CAPTURE(number);
    CHECK(parse_size(format_size(number)) == number);
    CHECK(parse_duration_ms(format_duration_ms(number)) == number);
    CHECK(parse_octal(format_octal(number)) == number);
  }
  CHECK(format_size(64 << 20) == "64MiB");
  CHECK(format_duration_ms(30'000) == "30s");
}

TEST_CASE("the closest word is suggested only when it is near") {
  const std::vector<std::string> words{"workers", "bind", "backlog"};
  CHECK(closest("worker", words) == "workers");
  CHECK(closest("wrokers", words) == "workers");
  CHECK(closest("bnd", words) == "bind");
  CHECK_FALSE(closest("durability", words));
  CHECK_FALSE(closest("x", words));
}

TEST_CASE("splitting keeps empty parts") {
  CHECK(split("a,b,,c", ',') == std::vector<std::string>{"a", "b", "", "c"});
  CHECK(split("", ',') == std::vector<std::string>{""});
}
