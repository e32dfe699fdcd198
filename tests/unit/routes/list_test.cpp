#include "worker/routes/list.h"

#include <string>

#include "support/catch.h"
#include "support/route_request.h"

namespace forklift {

TEST_CASE("files are listed by prefix, from a name on, up to a limit") {
  const auto all = as<List>(route("GET /files/"));
  CHECK(all.prefix.empty());
  CHECK(all.after.empty());
  CHECK(all.limit == 1000);
  CHECK_FALSE(all.html);
  const auto some = as<List>(route("HEAD /files/?limit=7&after=a%2F%25+z&prefix=%C3%A9&"));
  CHECK(some.prefix == "\xC3\xA9");
  CHECK(some.after == "a/% z");
  CHECK(some.limit == 7);
  for (const std::string limit : {"", "0", "1001", "-1", "1x", "99999999999999999999"}) {
    refused("GET /files/?limit=" + limit, 400, "limit-bad");
  }
  refused("GET /files/?prefix=%", 400, "query-bad");
  refused("GET /files/?after=%zz", 400, "query-bad");
  refused("PUT /files/", 405, "method-not-allowed");
}

TEST_CASE("what a listing is asked is decoded, known and said once") {
  CHECK(as<List>(route("GET /files/?limit=%31%30")).limit == 10);
  CHECK(as<List>(route("GET /files/?%6Cimit=10")).limit == 10);
  refused("GET /files/?limit=%", 400, "query-bad");
  for (const std::string query :
       {"prefx=a", "limit=1&limit=1", "prefix=a&after=b&pr%65fix=c", "download", "=", "%zz=1", "Prefix=a"}) {
    refused("GET /files/?" + query, 400, "query-unknown");
  }
  CHECK(as<Problem>(route("GET /files/?prefx=a")).detail ==
        "A listing takes prefix, limit and after, each once at most.");
}

TEST_CASE("a list is a page for who names HTML and likes JSON no more") {
  const auto html = [](const std::string& accept) {
    return as<List>(route("GET /files/", "Accept: " + accept + "\r\n")).html;
  };
  CHECK(html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
  CHECK(html("Text/HTML"));
  CHECK(html("application/json;q=0.5 , text/html ;q=0.51"));
  CHECK(html("text/plain\r\nAccept: text/html"));
  CHECK_FALSE(html("*/*"));
  CHECK_FALSE(html("text/*"));
  CHECK_FALSE(html("text/html;q=0"));
  CHECK_FALSE(html("text/html;q=0.5, application/json"));
  CHECK_FALSE(html("application/json"));
}

}  // namespace forklift
