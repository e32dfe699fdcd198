#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "worker/http/parser.h"

namespace forklift {

/// Reads a stream of requests as a connection does, from pieces of any size, and writes down what was read:
/// one line a request, "refused STATUS TYPE" where it ends. Two splits of one stream must give the same text.
/// Aborts where the parser breaks its own contract.
class Transcript {
 public:
  explicit Transcript(const Limits& limits) : limits_(limits), parser_(limits) {}

  void feed(std::string_view piece) {
    std::string buffer(piece);  // its own memory, gone afterwards: nothing may point into it
    std::span<std::byte> rest(reinterpret_cast<std::byte*>(buffer.data()), buffer.size());
    while (!rest.empty() && !refused_) rest = rest.subspan(step(rest));
  }

  std::string text() const {
    if (refused_ || (phase_ == Phase::kHead && !parser_.head_started())) return text_;
    return text_ +
           (phase_ == Phase::kHead ? "in a head\n" : "in a body of " + std::to_string(body_.size()) + "\n");
  }

  bool refused() const { return refused_; }

 private:
  enum class Phase { kHead, kChunked, kCounted };

  static void must(bool holds) {
    if (!holds) std::abort();
  }

  std::size_t step(std::span<std::byte> bytes) {
    if (phase_ == Phase::kHead) return step_head(bytes);
    return phase_ == Phase::kChunked ? step_chunked(bytes) : step_counted(bytes);
  }

  std::size_t step_head(std::span<const std::byte> bytes) {
    const auto fed = parser_.feed_head(bytes);
    must(fed.consumed <= bytes.size());
    if (fed.state == RequestParser::HeadState::kRefused) {
      refuse(parser_.refusal());
    } else if (fed.state == RequestParser::HeadState::kNeedMore) {
      must(fed.consumed == bytes.size());
    } else {
      begin_request();
    }
    return fed.consumed;
  }

  void begin_request() {
    const RequestHead& head = parser_.head();
    must(head.target.size() <= limits_.target_bytes_max && head.fields.size() <= limits_.header_count_max);
    must(!head.path.empty() && (head.path[0] == '/' || head.path == "*"));
    must(!(head.chunked && head.content_length));
    left_ = head.content_length.value_or(0);
    line_ = std::string(head.method_name) + ' ' + std::string(head.target) + " = " + std::string(head.path);
    line_ += " ? " + std::string(head.query) + " 1." + std::to_string(head.http_minor);
    for (const auto& [name, value] : head.fields)
      line_ += " [" + std::string(name) + "|" + std::string(value) + "]";
    if (head.keep_alive) line_ += " keep-alive";
    if (head.expects_continue) line_ += " 100-continue";
    phase_ = head.chunked ? Phase::kChunked : Phase::kCounted;
    if (!head.has_body()) end_request();
  }

  std::size_t step_chunked(std::span<std::byte> bytes) {
    const auto decoded = parser_.decode_chunked(bytes);
    if (!decoded) {
      refuse(decoded.error());
      return bytes.size();
    }
    must(decoded->offset + decoded->size <= decoded->consumed && decoded->consumed <= bytes.size());
    must(decoded->complete || decoded->consumed == bytes.size());
    body_.append(reinterpret_cast<const char*>(bytes.data()) + decoded->offset, decoded->size);
    if (decoded->complete) end_request();
    return decoded->consumed;
  }

  std::size_t step_counted(std::span<const std::byte> bytes) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    body_.append(reinterpret_cast<const char*>(bytes.data()), size);
    left_ -= size;
    if (left_ == 0) end_request();
    return size;
  }

  void end_request() {
    text_ += line_ + " body(" + body_ + ")\n";
    body_.clear();
    phase_ = Phase::kHead;
    parser_.next_request();
    must(!parser_.head_started());
  }

  void refuse(const Problem& problem) {
    refused_ = true;
    must(problem.status >= 400 && problem.status <= 505 && !problem.detail.empty());
    text_ += "refused " + std::to_string(problem.status) + " " + problem.type + "\n";
  }

  Limits limits_;
  RequestParser parser_;
  Phase phase_ = Phase::kHead;
  std::uint64_t left_ = 0;
  std::string line_;
  std::string body_;
  std::string text_;
  bool refused_ = false;
};

/// The transcript of a stream that came at once.
inline std::string transcript_of(std::string_view stream, const Limits& limits = {}) {
  Transcript transcript(limits);
  transcript.feed(stream);
  return transcript.text();
}

}  // namespace forklift
