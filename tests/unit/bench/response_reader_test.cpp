#include "bench/load/response_reader.h"

#include <string>

#include "support/catch.h"

namespace forklift::load {
namespace {

using State = ResponseReader::State;

const std::string kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

}  // namespace

TEST_CASE("the reader takes an answer whole or in single bytes") {
  ResponseReader whole;
  CHECK(whole.feed(kHello) == State::kComplete);
  ResponseReader reader;
  for (std::size_t index = 0; index + 1 < kHello.size(); ++index) {
    REQUIRE(reader.feed(kHello.substr(index, 1)) == State::kNeedMore);
  }
  CHECK(reader.feed(kHello.substr(kHello.size() - 1)) == State::kComplete);
  CHECK(reader.status() == 200);
  CHECK(reader.body_bytes() == 5);
  CHECK(reader.keep_alive());
}

TEST_CASE("the reader reads the next answer from the beginning") {
  ResponseReader reader;
  CHECK(reader.feed(kHello) == State::kComplete);
  reader.next();
  CHECK_FALSE(reader.begun());
  CHECK(reader.feed("HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") ==
        State::kComplete);
  CHECK(reader.status() == 503);
  CHECK(reader.body_bytes() == 0);
  CHECK_FALSE(reader.keep_alive());
}

TEST_CASE("the reader counts the bytes of a chunked body without its framing") {
  ResponseReader reader;
  CHECK(reader.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n") == State::kNeedMore);
  CHECK(reader.feed("2\r\nde\r\n0\r\n\r\n") == State::kComplete);
  CHECK(reader.body_bytes() == 5);
}

TEST_CASE("the reader passes over interim answers") {
  ResponseReader reader;
  CHECK(reader.feed("HTTP/1.1 100 Continue\r\n\r\n") == State::kNeedMore);
  CHECK_FALSE(reader.head_complete());
  CHECK(reader.feed(kHello) == State::kComplete);
  CHECK(reader.status() == 200);
}

TEST_CASE("the reader tells a cut answer from one that ends with the connection") {
  ResponseReader cut;
  CHECK(cut.feed(kHello.substr(0, kHello.size() - 1)) == State::kNeedMore);
  CHECK(cut.end() == State::kNeedMore);
  ResponseReader endless;
  CHECK(endless.feed("HTTP/1.0 200 OK\r\n\r\nhello") == State::kNeedMore);
  CHECK(endless.end() == State::kComplete);
  CHECK(endless.body_bytes() == 5);
  CHECK_FALSE(endless.keep_alive());
}

TEST_CASE("the reader refuses what is no answer, and bytes that nobody asked for") {
  ResponseReader nonsense;
  CHECK(nonsense.feed("SSH-2.0-OpenSSH_9.2\r\n") == State::kMalformed);
  ResponseReader more;
  CHECK(more.feed(kHello + "HTTP/1.1 200 OK\r\n") == State::kMalformed);
}

}  // namespace forklift::load
