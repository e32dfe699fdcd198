#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/limits.h"
#include "worker/http/problem.h"

namespace forklift {

/// Looks at every byte of a chunked body that is not data (RFC 9112, 7.1), as HeadGuard looks at heads, and
/// keeps chunk extensions, leading zeros and trailers from costing more than the body is worth.
/// Owned by its RequestParser.
class ChunkGuard {
 public:
  explicit ChunkGuard(const Limits& limits);

  /// The next framing bytes; what they frame was told to add_data() in between.
  std::optional<Problem> scan_framing(std::string_view bytes);
  void add_data(std::size_t bytes) { data_bytes_ += bytes; }

 private:
  enum class State : unsigned char {
    kSize,
    kExtension,
    kSizeLf,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kEnded,
  };

  std::optional<Problem> accept(char c);
  std::optional<Problem> accept_size_line(char c);
  std::optional<Problem> accept_trailers(char c);
  std::optional<Problem> expect(bool as_expected, State next);

  const Limits* limits_;
  State state_ = State::kSize;
  bool last_chunk_ = true;  // only zeros so far in this size
  std::uint64_t data_bytes_ = 0;
  std::uint64_t excess_bytes_ = 0;  // of all size lines, beyond what a plain one needs
  std::size_t line_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailer_fields_ = 0;
};

}  // namespace forklift
