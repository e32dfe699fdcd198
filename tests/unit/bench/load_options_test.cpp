#include "bench/load/options.h"

#include <string>
#include <vector>

#include "bench/load/request.h"
#include "support/catch.h"

namespace forklift::load {
namespace {

Result<Options, UsageError> parsed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "open_loop");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

/// What is said about a command line that cannot be followed.
std::string refused(const std::vector<const char*>& arguments) {
  const auto options = parsed(arguments);
  return options ? "accepted" : options.error().message;
}

std::string head_of(const std::vector<const char*>& arguments, std::uint64_t number = 0) {
  return Request::make(parsed(arguments).value()).value().head(number);
}

}  // namespace

TEST_CASE("open_loop takes an address apart") {
  const auto options = parsed({"--rate", "10", "http://[::1]:8000/files/a?b=c"});
  REQUIRE(options);
  CHECK(options->host == "::1");
  CHECK(options->port == "8000");
  CHECK(options->target == "/files/a?b=c");
  CHECK(parsed({"-r1", "http://localhost"})->target == "/");
  CHECK(parsed({"-r1", "http://localhost"})->port == "80");
}

TEST_CASE("open_loop says what is wrong with its command line") {
  CHECK(refused({"http://a/"}).find("--rate is required") != std::string::npos);
  CHECK(refused({"--rate", "0", "http://a/"}).find("--rate") != std::string::npos);
  CHECK(refused({"--rate", "1", "ftp://a/"}) == "'ftp://a/' is not http://HOST:PORT/PATH");
  CHECK(refused({"--rate", "1", "http://:80/"}) == "'http://:80/' is not http://HOST:PORT/PATH");
  CHECK(refused({"--rate", "1", "http://a:x/"}) == "'http://a:x/' is not http://HOST:PORT/PATH");
  CHECK(refused({"--rate", "1", "http://a/\r\nX: y"}) != "accepted");
  CHECK(refused({"--rate", "1", "--body", "/no/such/file", "http://a/"}).find("/no/such/file") !=
        std::string::npos);
  CHECK(refused({"--rate", "1", "-c", "2", "--open", "3", "http://a/"}) == "--open is above --connections");
  CHECK(refused({"--rate", "1", "--arrivals", "sometimes", "http://a/"}) != "accepted");
}

TEST_CASE("a request is what HTTP/1.1 asks for") {
  CHECK(head_of({"-r1", "http://a:8/x?y"}) == "GET /x?y HTTP/1.1\r\nHost: a:8\r\n\r\n");
  CHECK(head_of({"-r1", "--one-shot", "-H", "X-A: b", "http://[::1]:8/"}) ==
        "GET / HTTP/1.1\r\nHost: [::1]:8\r\nX-A: b\r\nConnection: close\r\n\r\n");
  CHECK(head_of({"-r1", "--body", "/dev/null", "--content-type", "a/b", "http://a:8/"}) ==
        "POST / HTTP/1.1\r\nHost: a:8\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("unique requests differ in their path, in front of the query") {
  const std::string first = head_of({"-r1", "--unique", "-X", "PUT", "http://a:8/x-?y"}, 1);
  const std::string second = head_of({"-r1", "--unique", "-X", "PUT", "http://a:8/x-?y"}, 2);
  CHECK(first.starts_with("PUT /x-"));
  CHECK(first.find("t0n0000000001?y HTTP/1.1") == std::string("PUT /x-123456789abc").size());
  CHECK(second.find("t0n0000000002?y HTTP/1.1") == std::string("PUT /x-123456789abc").size());
  CHECK(second.substr(0, 19) != first.substr(0, 19));
}

}  // namespace forklift::load
