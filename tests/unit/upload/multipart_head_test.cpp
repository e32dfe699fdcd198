#include "worker/upload/multipart_head.h"

#include <string>

#include "support/catch.h"
#include "worker/upload/form.h"

namespace forklift {
namespace {

Result<PartHead> read(std::string_view parameters) {
  return parse_part_head("Content-Disposition: form-data" + std::string(parameters) + "\r\n");
}

std::string name_of(std::string_view parameters) { return read(parameters).value().name; }

std::string filename_of(std::string_view parameters) {
  return read("; name=\"f\"; filename=" + std::string(parameters)).value().filename.value();
}

TEST_CASE("a part's name and filename are read as clients write them") {
  CHECK(filename_of("\"a b;c=d.txt\"") == "a b;c=d.txt");
  CHECK(filename_of("plain.txt") == "plain.txt");
  CHECK(filename_of("\"\xc3\xa4\xff\"") == "\xc3\xa4\xff");
  CHECK(filename_of("\"../../etc/passwd\"") == "../../etc/passwd");
  CHECK(filename_of("\"\"").empty());
  CHECK(name_of("; name=\"\"").empty());
  CHECK(name_of(";name=a") == "a");
  CHECK(name_of(" ;\tNAME=\"a\" ; ") == "a");
  CHECK(name_of("; filename=\"x; name=y\"; name=\"a\"") == "a");
}

TEST_CASE("browsers' and requests' percent escapes are undone, and only those") {
  CHECK(filename_of("\"a%22b%0D%0Ac\"") == "a\"b\r\nc");
  CHECK(filename_of("\"%0d%0a\"") == "\r\n");
  CHECK(filename_of("\"100%25 %2 %00 %2F%\"") == "100%25 %2 %00 %2F%");
  CHECK(name_of("; name=\"%22\"") == "\"");
  CHECK(filename_of("%22") == "%22");
}

TEST_CASE("curl's backslash escapes are undone, and browsers' backslashes are kept") {
  CHECK(filename_of("\"a\\\"b\\\\c\"") == "a\"b\\c");
  CHECK(filename_of("\"C:\\dir\\new.txt\"") == "C:\\dir\\new.txt");
  CHECK(filename_of("\"ends in\\\"") == "ends in\\");
  CHECK(filename_of("\"\\\\\"") == "\\");
  CHECK(filename_of("\"\\\"\\\"\"") == "\"\"");
}

TEST_CASE("filename* is ignored") {
  const auto part = read("; name=\"f\"; filename*=UTF-8''evil.txt");
  CHECK_FALSE(part.value().filename.has_value());
  CHECK(filename_of("\"good\"; filename*=UTF-8''evil.txt") == "good");
}

TEST_CASE("a part with a filename or called file is a file") {
  CHECK(read("; name=\"a\"; filename=\"\"").value().is_file());
  CHECK(read("; name=\"file\"").value().is_file());
  CHECK_FALSE(read("; name=\"files\"").value().is_file());
}

TEST_CASE("other fields of a part's header, in any case and order, do not matter") {
  const auto part = parse_part_head(
      "content-type: text/plain\r\nCONTENT-DISPOSITION:Form-Data;name=a\r\nContent-Transfer-Encoding: "
      "8bit\r\n");
  CHECK(part.value().name == "a");
}

TEST_CASE("a disposition that cannot be read is refused") {
  for (const std::string bad :
       {"", ";", "; name", "; name=", "; =a", "; name=\"a", "; name=\"a\"b", "; name=\"a\" b",
        "; name=a; name=b", "; name=a; filename=b; filename=c", " name=a", "; filename=\"a\"", ", name=a",
        "; name=\"a\\\"", "; na me=a", "; name=a\"b\""}) {
    INFO(bad);
    const bool ended_well = bad == "; name=\"a\\\"";
    CHECK(read(bad).ok() == ended_well);
  }
  CHECK_FALSE(parse_part_head("Content-Disposition: attachment; name=a\r\n").ok());
  CHECK_FALSE(parse_part_head("Content-Disposition: form-datax; name=a\r\n").ok());
  CHECK_FALSE(parse_part_head("Content-Disposition : form-data; name=a\r\n").ok());
  CHECK_FALSE(parse_part_head("Content-Disposition: form-data; name=a\r\nContent-Disposition: x\r\n").ok());
  CHECK_FALSE(parse_part_head("Content-Disposition: form-data;\r\n name=a\r\n").ok());
  CHECK_FALSE(parse_part_head("").ok());
}

TEST_CASE("control characters in a part's header are refused where they stand") {
  for (const char control : {'\0', '\x01', '\r', '\x1f', '\x7f'}) {
    const std::string head = "Content-Disposition: form-data; name=\"" + std::string(1, control) + "\"\r\n";
    const auto part = parse_part_head(head);
    REQUIRE_FALSE(part.ok());
    CHECK(part.error().position == 38);
  }
}

TEST_CASE("the boundary of a content type is read, or there is none") {
  CHECK(form_boundary("multipart/form-data; boundary=abc") == "abc");
  CHECK(form_boundary(" Multipart/Form-Data ; charset=utf-8; Boundary=\"a b:?\" ") == "a b:?");
  CHECK(form_boundary("multipart/form-data;boundary=" + std::string(70, 'x')) == std::string(70, 'x'));
  const std::string too_long(71, 'x');
  for (const std::string& bad :
       {std::string(), std::string("multipart/form-data"), std::string("multipart/mixed; boundary=a"),
        std::string("multipart/form-data; boundary="), std::string("multipart/form-data; boundary=\"\""),
        std::string("multipart/form-data; boundary=a; boundary=b"),
        "multipart/form-data; boundary=" + too_long, std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=\"a\rb\""),
        std::string("multipart/form-data; boundary=a b"), std::string("multipart/form-data; boundary=a@b"),
        std::string("multipart/form-data, boundary=a"), std::string("application/json; boundary=a")}) {
    INFO(bad);
    CHECK(form_boundary(bad).empty());
  }
}

}  // namespace
}  // namespace forklift
