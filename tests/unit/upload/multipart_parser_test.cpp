#include "worker/upload/multipart_parser.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/form_transcript.h"

namespace forklift {
namespace {

constexpr std::string_view kBoundary = "--B";

std::string disposition(std::string_view parameters) {
  return "Content-Disposition: form-data; " + std::string(parameters) + "\r\n";
}

/// A part, with the boundary's line before it and no line end behind it.
std::string part(std::string_view parameters, std::string_view content) {
  return "----B\r\n" + disposition(parameters) + "\r\n" + std::string(content);
}

std::string form_of(const std::vector<std::string>& parts, std::string_view epilogue = "\r\n") {
  std::string form;
  for (const std::string& each : parts) form += each + "\r\n";
  return form + "----B--" + std::string(epilogue);
}

std::string read(std::string_view body, const FormLimits& limits = {}) {
  return form_transcript_of(body, kBoundary, limits);
}

TEST_CASE("a form of fields and files is taken apart in its order") {
  CHECK(read(form_of({part("name=\"a\"", "1"), part("name=\"file\"; filename=\"x.bin\"", "two\r\nlines"),
                      part("name=\"b\"", "")})) ==
        "[a]1/[file|x.bin]two\r\nlines/[b]/"
        "//end");
}

TEST_CASE("what almost is a boundary is data") {
  for (const std::string almost :
       {"\r\n", "\r\n-", "\r\n---", "\r\n----", "\r\n---B", "\r\r\n----", "\n----B", "\r----B", "----B",
        "\r\n\r\n----", "\r\n----b", "\r\n----\r\n----\r\n---", "\r\n----\r", "\r"}) {
    INFO(almost);
    CHECK(read(form_of({part("name=\"a\"", "x" + almost), part("name=\"b\"", "x" + almost + "y")})) ==
          "[a]x" + almost + "/[b]x" + almost + "y///end");
  }
}

TEST_CASE("a preamble, an epilogue and white space behind a boundary mean nothing") {
  const std::string p = part("name=\"a\"", "1");
  CHECK(read("Hello\r\nyou\r\n" + form_of({p})) == "[a]1///end");
  CHECK(read("\r\n" + form_of({p})) == "[a]1///end");
  CHECK(read(form_of({p}, "")) == "[a]1///end");
  CHECK(read(form_of({p}, "\r\nbye\r\n----B\r\n")) == "[a]1///end");
  CHECK(read("----B \t \r\n" + p.substr(7) + "\r\n----B--  \r\n") == "[a]1///end");
}

TEST_CASE("what follows the closing boundary on its line is white space") {
  const std::string p = part("name=\"a\"", "1");
  const std::string refused = "[a]1///bad: A boundary is not followed by the end of its line. @" +
                              std::to_string(form_of({p}, "").size());
  CHECK(read(form_of({p}, "x")) == refused);
  CHECK(read(form_of({p}, "-\r\n")) == refused);
  CHECK(read(form_of({p}, "\nbye")) == "[a]1///end");
}

TEST_CASE("a part without bytes may have no line end of its own") {
  CHECK(read("----B\r\n" + disposition("name=\"a\"") + "\r\n----B--") == "[a]///end");
  CHECK(read("----B\r\n" + disposition("name=\"a\"") + "\r\n----x\r\n----B--") == "[a]----x///end");
}

TEST_CASE("a multipart inside a part is that part's bytes") {
  const std::string inner = "--C\r\nContent-Disposition: file; filename=\"x\"\r\n\r\ny\r\n--C--\r\n";
  CHECK(read("----B\r\n" + disposition("name=\"a\"") + "Content-Type: multipart/mixed; boundary=C\r\n\r\n" +
             inner + "\r\n----B--") == "[a]" + inner + "///end");
}

TEST_CASE("a form that is cut off anywhere is refused, and says where it ended") {
  const std::string form =
      form_of({part("name=\"a\"", "1"), part("name=\"b\"; filename=\"c\"", "2\r\n3")}, "");
  for (std::size_t size = 0; size < form.size(); ++size) {
    const std::string said = read(form.substr(0, size));
    INFO(size << " " << said);
    CHECK(said.find("bad: ") != said.npos);
    CHECK(said.find(" @" + std::to_string(size)) != said.npos);
  }
  CHECK(read(form).find("bad") == std::string::npos);
}

TEST_CASE("a boundary's line with anything else on it is refused") {
  const std::string start = part("name=\"a\"", "1") + "\r\n----B";
  const std::string where = std::to_string(start.size());
  const std::string sentence = "[a]1/bad: A boundary is not followed by the end of its line. @";
  for (const std::string rest : {"x", "\n", "B--", "=\r\n"}) CHECK(read(start + rest) == sentence + where);
  for (const std::string rest : {"-x", "\rx", "-\r\n", "\r\r\n", " x", " --"})
    CHECK(read(start + rest) == sentence + std::to_string(start.size() + 1));
}

TEST_CASE("line ends without CR are refused") {
  std::string form = form_of({part("name=\"a\"", "1")});
  CHECK(read("----B\r\nContent-Disposition: form-data; name=a\n\n1\r\n----B--") ==
        "bad: A line of a part's header does not end in CRLF. @45");
  std::erase(form, '\r');
  CHECK(read(form) == "bad: A boundary is not followed by the end of its line. @5");
  CHECK(read("x" + form) == "bad: The form holds no boundary. @" + std::to_string(form.size() + 1));
}

TEST_CASE("a header that cannot be is refused, and its line named") {
  const auto with = [](const std::string& head) { return read("----B\r\n" + head + "\r\n1\r\n----B--"); };
  CHECK(with("") == "bad: A part has no Content-Disposition. @7");
  CHECK(with("A: b\r\n") == "bad: A part has no Content-Disposition. @7");
  CHECK(with("A: b\r\nbc\r\n") == "bad: A line of a part's header is no header field. @13");
  CHECK(with("A: b\r\n" + disposition("filename=\"a\"")) ==
        "bad: The Content-Disposition of a part has no name. @13");
}

TEST_CASE("every limit is kept and named") {
  FormLimits limits;
  const std::string p = part("name=\"a\"", "1");
  const std::size_t head_bytes = disposition("name=\"a\"").size() + 2;
  limits.parts_max = 2;
  CHECK(read(form_of({p, p}), limits) == "[a]1/[a]1///end");
  CHECK(read(form_of({p, p, p}), limits) ==
        "[a]1/[a]1/too large: The form has more than 2 parts. @" + std::to_string(2 * (p.size() + 2) + 7));
  limits.part_header_bytes_max = head_bytes;
  CHECK(read(form_of({p}), limits) == "[a]1///end");
  limits.part_header_bytes_max = head_bytes - 1;
  CHECK(read(form_of({p}), limits) == "too large: The header of a part has more than " +
                                          std::to_string(head_bytes - 1) + " bytes. @" +
                                          std::to_string(7 + head_bytes - 1));
  limits = {};
  limits.surround_bytes_max = 4;
  CHECK(read("1234\r\n" + form_of({p}, "\r\n34"), limits) == "[a]1///end");
  CHECK(read("12345\r\n" + form_of({p}), limits) ==
        "too large: The form's preamble has more than 4 bytes. @4");
  CHECK(read(form_of({p}, "\r\n345"), limits) ==
        "[a]1///too large: The form's epilogue has more than 4 bytes. @" +
            std::to_string(p.size() + 2 + 7 + 4));
  limits.part_header_bytes_max = 3;
  CHECK(read("----B    \r\n", limits) ==
        "too large: A boundary is followed by more than 3 bytes of white space. @8");
}

std::vector<std::string> split_corpus() {
  const std::string file = part("name=\"file\"; filename=\"x\"", "\r\n--\r\n----\r\n----b\r\n\r\n----");
  const std::string field = part("name=\"a\"", "");
  std::vector<std::string> corpus = {
      form_of({file, field, file}),
      "pre\r\n\r\n--" + form_of({field, file}, "\r\nepi\r\n----B"),
      "\r\n----\r\n" + form_of({file}),
      "----B\r\n" + disposition("name=a") + "\r\n----B \r\n" + disposition("name=b") + "\r\n----B\rx",
      form_of({file + "\r\n----Bx"}),
      form_of({file}, "x"),
      "----B\r\nA: b\nC: d",
      form_of({file}).substr(0, 90)};
  return corpus;
}

void check_cut(const std::string& body, const std::vector<std::size_t>& cuts, const FormLimits& limits) {
  FormTranscript cut(kBoundary, limits);
  std::size_t from = 0;
  for (const std::size_t to : cuts) {
    cut.feed(std::string_view(body).substr(from, to - from));
    from = to;
  }
  cut.feed(std::string_view(body).substr(from));
  cut.end();
  if (cut.text() == read(body, limits) && !cut.broke_the_contract()) return;
  INFO("cut at " << cuts.front() << " " << cuts.back());
  CHECK(cut.text() == read(body, limits));
  CHECK_FALSE(cut.broke_the_contract());
}

TEST_CASE("however a body is cut in two or in three, the form is the same") {
  FormLimits small;
  small.parts_max = 2;
  small.part_header_bytes_max = 60;
  small.surround_bytes_max = 5;
  for (const std::string& body : split_corpus()) {
    for (const FormLimits& limits : {FormLimits(), small}) {
      for (std::size_t first = 0; first <= body.size(); ++first) {
        for (std::size_t second = first; second <= body.size(); ++second)
          check_cut(body, {first, second}, limits);
      }
      std::vector<std::size_t> every_byte;
      for (std::size_t i = 0; i <= body.size(); ++i) every_byte.push_back(i);
      check_cut(body, every_byte, limits);
    }
  }
}

TEST_CASE("a body made of boundaries that fail costs as many events as inputs, and no more") {
  const std::string start = part("name=\"f\"; filename=\"f\"", "");
  for (const std::string_view unit : {"\r\n----", "\r", "\r\n--", "\r\n"}) {
    std::string body;
    while (body.size() < 100000) body += unit;
    MultipartParser parser(kBoundary, FormLimits());
    std::string_view input = start;
    while (!input.empty()) input.remove_prefix(parser.next(input).value().used);
    input = body;
    int events = 0;
    while (!input.empty()) {
      input.remove_prefix(parser.next(input).value().used);
      ++events;
    }
    CHECK(events <= 3);
  }
}

}  // namespace
}  // namespace forklift
