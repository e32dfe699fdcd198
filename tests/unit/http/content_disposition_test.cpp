#include "worker/http/content_disposition.h"

#include <random>

#include "support/catch.h"

namespace forklift {
namespace {

std::string attachment(std::string_view name) { return content_disposition(Disposition::kAttachment, name); }

}  // namespace

TEST_CASE("an ASCII name is said once") {
  CHECK(attachment("report.pdf") == "attachment; filename=\"report.pdf\"");
  CHECK(attachment("annual report (final); v2.pdf") ==
        "attachment; filename=\"annual report (final); v2.pdf\"");
  CHECK(content_disposition(Disposition::kInline, "a.txt") == "inline; filename=\"a.txt\"");
  CHECK(attachment("2024/may/a.txt") == "attachment; filename=\"a.txt\"");
  CHECK(attachment(".profile") == "attachment; filename=\".profile\"");
}

TEST_CASE("a name in UTF-8 is said twice") {
  CHECK(attachment("na\u00efve r\u00e9sum\u00e9.txt") ==
        "attachment; filename=\"na_ve r_sum_.txt\"; filename*=UTF-8''na%C3%AFve%20r%C3%A9sum%C3%A9.txt");
  CHECK(attachment("\u20ac rates") == "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates");
  CHECK(attachment("\u6587\u4ef6.zip") ==
        "attachment; filename=\"__.zip\"; filename*=UTF-8''%E6%96%87%E4%BB%B6.zip");
  CHECK(attachment("\U0001f600") == "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80");
}

TEST_CASE("what clients read in different ways stands in the encoded name only") {
  CHECK(attachment("a\"b.txt") == "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt");
  CHECK(attachment("a\\b.txt") == "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%5Cb.txt");
  CHECK(attachment("100%41.txt") == "attachment; filename=\"100_41.txt\"; filename*=UTF-8''100%2541.txt");
  CHECK(attachment("'*\u00e9") == "attachment; filename=\"'*_\"; filename*=UTF-8''%27%2A%C3%A9");
}

TEST_CASE("control characters get into neither name") {
  CHECK(attachment("a\r\nSet-Cookie: b") ==
        "attachment; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a__Set-Cookie%3A%20b");
  CHECK(attachment(std::string_view("a\0\x1f\x7f", 4)) ==
        "attachment; filename=\"a___\"; filename*=UTF-8''a___");
  CHECK(attachment("a\u0085\u009fb\u00a0") == "attachment; filename=\"a__b_\"; filename*=UTF-8''a__b%C2%A0");
}

TEST_CASE("bytes that are no UTF-8 are replaced one by one") {
  const std::string replaced = "%EF%BF%BD";
  for (const char* bytes : {"\xff", "\x80", "\xc0", "\xc3", "\xf5"}) {
    CHECK(attachment(bytes) == "attachment; filename=\"_\"; filename*=UTF-8''" + replaced);
  }
  CHECK(attachment("\xc0\xaf") == "attachment; filename=\"__\"; filename*=UTF-8''" + replaced + replaced);
  CHECK(attachment("\xc1\xbf") == attachment("\xff\xff"));          // overlong
  CHECK(attachment("\xe0\x9f\xbf") == attachment("\xff\xff\xff"));  // overlong
  CHECK(attachment("\xed\xa0\x80") == attachment("\xff\xff\xff"));  // a surrogate
  CHECK(attachment("\xf0\x8f\xbf\xbf") == attachment("\xff\xff\xff\xff"));
  CHECK(attachment("\xf4\x90\x80\x80") == attachment("\xff\xff\xff\xff"));
  CHECK(attachment("\xf5\x80\x80\x80") == attachment("\xff\xff\xff\xff"));
  CHECK(attachment("\xe2\x82") == attachment("\xff\xff"));
  CHECK(attachment("\xe2\x82z") ==
        "attachment; filename=\"__z\"; filename*=UTF-8''" + replaced + replaced + "z");
}

TEST_CASE("a name that ends in a slash, or none, leaves the disposition alone") {
  CHECK(attachment("") == "attachment");
  CHECK(attachment("a/") == "attachment");
}

TEST_CASE("whatever the name, the value is one quoted name and one encoded") {
  std::mt19937 random(9);
  for (int round = 0; round < 20000; ++round) {
    std::string name;
    for (auto count = random() % 12; count > 0; --count) name += static_cast<char>(random());
    const std::string value = attachment(name);
    CAPTURE(name, value);
    const bool printable =
        std::all_of(value.begin(), value.end(), [](char byte) { return byte >= ' ' && byte <= '~'; });
    REQUIRE(printable);
    const auto quotes = std::count(value.begin(), value.end(), '"');
    REQUIRE((quotes == 2 || value == "attachment"));
    REQUIRE(value.find('\\') == std::string::npos);
  }
}

}  // namespace forklift
