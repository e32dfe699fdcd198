#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/limits.h"
#include "common/result.h"
#include "worker/http/problem.h"
#include "worker/http/request_head.h"

namespace forklift {

/// Parses the requests of one connection with llhttp in strict mode, and refuses what that lets pass:
/// obs-fold, bare LF, repeated or unknown Transfer-Encoding, Transfer-Encoding under HTTP/1.0 or beside
/// Content-Length, a missing, repeated or malformed Host, HTTP/0.9 and any major version but 1 (RFC 9112, 2
/// to 7). Takes heads apart and decodes chunked bodies; a Content-Length body is counted by the connection
/// and never passes through here. Owned by its connection.
class RequestParser {
 public:
  explicit RequestParser(const Limits& limits);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser();

  enum class HeadState : std::uint8_t { kNeedMore, kComplete, kRefused };
  struct Head {
    HeadState state;
    std::size_t consumed;  // bytes taken from the front; what follows belongs to the body or the next request
  };

  /// Takes bytes of a head in any split. They are copied: the caller may reuse its buffer.
  /// After kComplete: head(). After kRefused: refusal(), and nothing more can be parsed here.
  Head feed_head(std::span<const std::byte> bytes);

  /// Whether a byte of the next head has come (empty lines before a request line do not count).
  bool head_started() const;

  const RequestHead& head() const;
  const Problem& refusal() const;

  struct Body {
    std::size_t consumed;  // bytes taken from the front, chunk framing included
    std::size_t offset;    // the decoded bytes lie at [offset, offset + size), moved together in place
    std::size_t size;
    bool complete;  // the last chunk and the trailers are through
  };

  /// Decodes chunked body bytes in place, in any split. Only while head().chunked and not complete.
  Result<Body, Problem> decode_chunked(std::span<std::byte> bytes);

  /// Makes ready for the next request of the connection; head() is gone.
  void next_request();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forklift
