#include "worker/http/head_guard.h"

#include <algorithm>

namespace forklift {
namespace {

// RFC 9112, 2.2 asks for one; more than a few are no mistake of a client's.
constexpr std::size_t kEmptyLinesMax = 8;

bool is_visible(char c) { return c > 0x20 && c < 0x7F; }

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_version(std::string_view text) {
  return text.size() == 8 && text.substr(0, 5) == "HTTP/" && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

Problem bad_line_end() { return malformed("Every line must end with CR LF, and neither may stand alone."); }

}  // namespace

Problem malformed(std::string_view detail) { return {400, "malformed-request", std::string(detail), {}}; }

Problem head_too_large(std::size_t bytes_max) {
  return {431,
          "head-too-large",
          "Request line and header fields together may have " + std::to_string(bytes_max) + " bytes.",
          {}};
}

Problem too_many_fields(std::size_t count_max) {
  return {431, "too-many-fields", "A request may have " + std::to_string(count_max) + " header fields.", {}};
}

Problem version_problem(std::string_view version) {
  const bool other = is_version(version) && version != "HTTP/1.0" && version != "HTTP/1.1";
  if (!other) return malformed("The request line must end with one space and HTTP/1.1 or HTTP/1.0.");
  return {505, "version-unsupported", "This server speaks HTTP/1.1 and HTTP/1.0.", {}};
}

HeadGuard::HeadGuard(const Limits& limits) : limits_(&limits) {}

HeadGuard::Scan HeadGuard::scan(std::string_view bytes) {
  Scan scan;
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::kEnded) {
    const std::size_t plain = plain_field_bytes(bytes.substr(at));
    bytes_ += plain;
    at += plain;
    if (at == bytes.size()) break;
    scan.refusal = accept(bytes[at]);
    if (scan.refusal) break;
    ++at;
    if (before_head()) scan.skipped = at;
  }
  scan.accepted = at - scan.skipped;
  scan.ended = state_ == State::kEnded;
  return scan;
}

/// Inside a field most bytes need no decision.
std::size_t HeadGuard::plain_field_bytes(std::string_view bytes) const {
  if (state_ != State::kField) return 0;
  const std::size_t most = std::min(bytes.size(), limits_->header_bytes_max - bytes_);
  const auto* end = bytes.data() + most;
  return static_cast<std::size_t>(std::find_if(bytes.data(), end, is_control) - bytes.data());
}

std::optional<Problem> HeadGuard::accept(char c) {
  if (state_ == State::kBefore && c != '\r') state_ = State::kMethod;
  if (!before_head() && bytes_ == limits_->header_bytes_max) return head_too_large(limits_->header_bytes_max);
  if (!before_head()) ++bytes_;
  switch (state_) {
    case State::kBefore:
      if (++empty_lines_ > kEmptyLinesMax) return malformed("Too many empty lines before the request line.");
      state_ = State::kBeforeLf;
      return {};
    case State::kBeforeLf:
      return expect_lf(c, State::kBefore);
    case State::kMethod:
    case State::kTarget:
    case State::kVersion:
      return accept_in_request_line(c);
    case State::kLineLf:
      return expect_lf(c, State::kLineStart);
    case State::kLineStart:
      return accept_line_start(c);
    case State::kField:
      if (is_control(c) && c != '\r') {
        return c == '\n' ? bad_line_end() : malformed("A header field holds a control character.");
      }
      if (c == '\r') state_ = State::kLineLf;
      return {};
    case State::kEndLf:
      return expect_lf(c, State::kEnded);
    case State::kEnded:
      break;
  }
  return {};
}

std::optional<Problem> HeadGuard::expect_lf(char c, State next) {
  if (c != '\n') return bad_line_end();
  state_ = next;
  return {};
}

std::optional<Problem> HeadGuard::accept_in_request_line(char c) {
  if (c == '\n') return bad_line_end();
  if (state_ == State::kTarget) return accept_target(c);
  if (state_ == State::kVersion) return accept_version(c);
  const bool first = bytes_ == 1;
  if (c == ' ' && !first) {
    state_ = State::kTarget;
  } else if (!is_visible(c)) {
    return malformed("The request does not begin with a method.");
  }
  return {};
}

std::optional<Problem> HeadGuard::accept_target(char c) {
  if (c == ' ') {
    if (target_bytes_ == 0) return malformed("One space must stand between method and target.");
    state_ = State::kVersion;
    return {};
  }
  if (c == '\r') return version_problem({});
  if (!is_visible(c) || c == '#') {
    return malformed("The request target holds a byte that must be percent-encoded.");
  }
  if (target_bytes_++ == limits_->target_bytes_max) {
    return Problem{414,
                   "target-too-long",
                   "A request target may have " + std::to_string(limits_->target_bytes_max) + " bytes.",
                   {}};
  }
  return {};
}

std::optional<Problem> HeadGuard::accept_version(char c) {
  if (c == '\r') {
    if (!is_version(version()) || version()[5] != '1') return version_problem(version());
    state_ = State::kLineLf;
    return {};
  }
  if (version_bytes_ == sizeof version_) return malformed("The request line is longer than its version.");
  version_[version_bytes_++] = c;
  return {};
}

std::optional<Problem> HeadGuard::accept_line_start(char c) {
  if (c == '\r') {
    state_ = State::kEndLf;
    return {};
  }
  if (c == '\n') return bad_line_end();
  if (c == ' ' || c == '\t')
    return malformed("A header field must stand in one line (obs-fold is obsolete).");
  if (c == ':') return malformed("A header field has no name.");
  if (is_control(c)) return malformed("A header field holds a control character.");
  if (fields_++ == limits_->header_count_max) return too_many_fields(limits_->header_count_max);
  state_ = State::kField;
  return {};
}

}  // namespace forklift
