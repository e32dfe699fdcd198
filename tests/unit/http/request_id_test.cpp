#include "worker/http/request_id.h"

#include <limits>
#include <string>

#include "support/catch.h"

namespace forklift {
namespace {

std::string id_for(const std::string& given) {
  RequestHead head;
  head.fields.push_back({"x-request-ID", given});
  return std::string(RequestIds(1).of(head).view());
}

}  // namespace

TEST_CASE("requests of one worker are counted behind its prefix") {
  RequestIds ids(0x5f1c09d2a6e8b374);
  CHECK(ids.next().view() == "5f1c09d2a6e8b374-1");
  for (int i = 0; i < 24; ++i) (void)ids.next();
  CHECK(ids.next().view() == "5f1c09d2a6e8b374-1a");
  CHECK(RequestIds(1).of(RequestHead()).view() == "0000000000000001-1");
}

TEST_CASE("two workers name requests differently") {
  CHECK(RequestIds::random().next().view() != RequestIds::random().next().view());
}

TEST_CASE("a sane request id of the client's is kept, any other replaced") {
  CHECK(id_for("abc-1~") == "abc-1~");
  CHECK(id_for(std::string(64, 'x')) == std::string(64, 'x'));
  for (const std::string& bad : {std::string(65, 'x'), std::string(), std::string("a b"), std::string("a\tb"),
                                 std::string("\xC3\xA9"), std::string("\x7f")}) {
    CHECK(id_for(bad) == "0000000000000001-1");
  }
}

}  // namespace forklift
