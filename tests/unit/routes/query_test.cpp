#include "worker/routes/query.h"

#include "support/catch.h"

namespace forklift {

TEST_CASE("a query gives the first value of a key, still encoded") {
  CHECK(query_value("name=a%20b", "name") == "a%20b");
  CHECK(query_value("x=1&name=a=b&name=c", "name") == "a=b");
  CHECK(query_value("name=a+b", "name") == "a%20b");
  CHECK(query_value("name", "name") == "");
  CHECK(query_value("&&name=&", "name") == "");
  CHECK_FALSE(query_value("", "name"));
  CHECK_FALSE(query_value("names=1&na=2&n", "name"));
}

TEST_CASE("a key of a query is compared decoded") {
  CHECK(query_value("nam%65=a", "name") == "a");
  CHECK(query_value("%6E%61me=a%20b&name=c", "name") == "a%20b");
  CHECK_FALSE(query_value("nam%2565=a&nam%=b&name%00=c&%=d", "name"));
}

}  // namespace forklift
