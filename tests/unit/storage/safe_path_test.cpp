#include <string>

#include "support/catch.h"
#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

ErrorCode why_not(std::string_view name) {
  const auto checked = check_name(name);
  INFO(name);
  REQUIRE_FALSE(checked.ok());
  return checked.error().code;
}

ErrorCode why_not_decoded(std::string_view encoded) {
  const auto name = decode_name(encoded);
  INFO(encoded);
  REQUIRE_FALSE(name.ok());
  return name.error().code;
}

TEST_CASE("a name of ordinary parts is taken as it is") {
  for (const char* name :
       {"a", "a/b/c", "photo 1.jpg", "...", "..a", "a..", ".hidden", "a\\b", "C:\\x", "uploads/x",
        "upload.txt", "a/upload", "a/.forklift", "x/download", ".forklift2", "~", "-rf", "*"}) {
    INFO(name);
    CHECK(check_name(name).ok());
  }
}

TEST_CASE("a name keeps bytes that are not UTF-8") {
  CHECK(check_name("\xff\xfe\x80").ok());
  CHECK(decode_name("caf%e9/%FF").value() == "caf\xe9/\xff");
}

TEST_CASE("a name with an empty part, a dot or two dots is refused") {
  for (const char* name : {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/..", "a/.", "a/../b",
                           "a/./b", "../../etc/passwd", "..//"}) {
    CHECK(why_not(name) == ErrorCode::kBadName);
  }
}

TEST_CASE("a name with a control character is refused") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = std::string("a") + static_cast<char>(byte) + "b";
    const bool control = byte < 0x20 || byte == 0x7f;
    INFO(byte);
    CHECK(check_name(name).ok() == !control);
  }
}

TEST_CASE("a part may have 255 bytes and a name 4095") {
  const std::string part(255, 'x');
  CHECK(check_name(part).ok());
  CHECK(why_not(part + "x") == ErrorCode::kNameTooLong);
  CHECK(why_not("a/" + part + "x/b") == ErrorCode::kNameTooLong);
  std::string name;
  for (int i = 0; i < 15; ++i) name += part + "/";
  name += part;
  REQUIRE(name.size() == 4095);
  CHECK(check_name(name).ok());
  name.insert(0, "y/");
  CHECK(why_not(name) == ErrorCode::kNameTooLong);
}

TEST_CASE("the server's own first parts are reserved") {
  for (const char* name :
       {"upload", "upload/x", "download", "download/file", ".forklift", ".forklift/parts/x"}) {
    CHECK(why_not(name) == ErrorCode::kReservedName);
  }
}

TEST_CASE("a name is decoded exactly once") {
  CHECK(decode_name("a%20b").value() == "a b");
  CHECK(decode_name("a+b").value() == "a+b");
  CHECK(decode_name("a%2Fb").value() == "a/b");
  CHECK(decode_name("%252e%252e/a").value() == "%2e%2e/a");
  CHECK(decode_name("%e2%82%ac").value() == "\xe2\x82\xac");
  CHECK(decode_name("100%25").value() == "100%");
}

TEST_CASE("an encoded name is judged by what it decodes to") {
  CHECK(why_not_decoded("%2e%2e/etc/passwd") == ErrorCode::kBadName);
  CHECK(why_not_decoded("..%2Fetc") == ErrorCode::kBadName);
  CHECK(why_not_decoded("a%2f%2E%2e%2Fb") == ErrorCode::kBadName);
  CHECK(why_not_decoded("%2Fetc/passwd") == ErrorCode::kBadName);
  CHECK(why_not_decoded("a%00.jpg") == ErrorCode::kBadName);
  CHECK(why_not_decoded("a%0d%0ab") == ErrorCode::kBadName);
  CHECK(why_not_decoded("%2eforklift/parts") == ErrorCode::kReservedName);
  CHECK(why_not_decoded("%75pload") == ErrorCode::kReservedName);
}

TEST_CASE("a percent sign without two hexadecimal digits is refused") {
  for (const char* encoded : {"%", "a%", "a%2", "%g0", "%0g", "%%41", "% 41", "%-1", "%+1", "%0x41"}) {
    CHECK(why_not_decoded(encoded) == ErrorCode::kBadName);
  }
  CHECK(decode_name("%41").value() == "A");
  CHECK(why_not_decoded(std::string_view("%41", 2)) == ErrorCode::kBadName);
}

}  // namespace
}  // namespace forklift
