#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "common/limits.h"
#include "worker/http/problem.h"

namespace forklift {

/// Looks at every byte of a head before llhttp does, and stops at the first that this server will not read: a
/// CR or LF without the other, a control character, a folded field, an empty field name, more than one space
/// in the request line, a version but 1.x (RFC 9112, 2 to 5), or one byte more than a limit allows. What it
/// answers does not depend on how the bytes were split. Owned by its RequestParser.
class HeadGuard {
 public:
  explicit HeadGuard(const Limits& limits);

  struct Scan {
    std::size_t skipped = 0;   // from the front: empty lines before the request line
    std::size_t accepted = 0;  // behind those: bytes of the head
    bool ended = false;        // the empty line at the end of the head was the last one accepted
    std::optional<Problem> refusal;
  };
  Scan scan(std::string_view bytes);

  /// The version of the request line as far as it was read: "HTTP/1.1".
  std::string_view version() const { return {version_, version_bytes_}; }

 private:
  enum class State : unsigned char {
    kBefore,
    kBeforeLf,
    kMethod,
    kTarget,
    kVersion,
    kLineLf,
    kLineStart,
    kField,
    kEndLf,
    kEnded,
  };

  std::optional<Problem> accept(char c);
  std::optional<Problem> accept_in_request_line(char c);
  std::optional<Problem> accept_target(char c);
  std::optional<Problem> accept_version(char c);
  std::optional<Problem> accept_line_start(char c);
  std::optional<Problem> expect_lf(char c, State next);
  std::size_t plain_field_bytes(std::string_view bytes) const;
  bool before_head() const { return state_ == State::kBefore || state_ == State::kBeforeLf; }

  const Limits* limits_;
  State state_ = State::kBefore;
  std::size_t empty_lines_ = 0;
  std::size_t bytes_ = 0;
  std::size_t target_bytes_ = 0;
  std::size_t fields_ = 0;
  char version_[8] = {};
  std::size_t version_bytes_ = 0;
};

/// 505 for "HTTP/D.D" of another version than 1.x, 400 for anything else.
Problem version_problem(std::string_view version);

/// 400 "malformed-request".
Problem malformed(std::string_view detail);

/// 431: more bytes or more fields than the limit.
Problem head_too_large(std::size_t bytes_max);
Problem too_many_fields(std::size_t count_max);

}  // namespace forklift
