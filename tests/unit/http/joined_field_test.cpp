#include "worker/http/joined_field.h"

#include "support/catch.h"

namespace forklift {

TEST_CASE("the lines of one field are one list") {
  RequestHead head;
  head.fields = {
      {"If-Match", "\"a\""}, {"Other", "x"}, {"IF-MATCH", ""}, {"if-match", "\"b\""}, {"If-Matches", "y"}};
  CHECK(joined_field(head, "If-Match") == "\"a\", , \"b\"");
  CHECK(joined_field(head, "other") == "x");
}

TEST_CASE("an empty field is there, and one that was not sent is not") {
  RequestHead head;
  head.fields = {{"If-Match", ""}};
  CHECK(joined_field(head, "If-Match") == "");
  CHECK_FALSE(joined_field(head, "Range"));
}

}  // namespace forklift
