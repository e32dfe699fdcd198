#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/http/range.h"

namespace forklift {

/// "bytes 0-499/1234": the Content-Range of a 206 (RFC 9110, 14.4). `size` is the whole file's.
std::string content_range(const ByteRange& range, std::uint64_t size);

/// "bytes */1234": the Content-Range of a 416.
std::string unsatisfied_content_range(std::uint64_t size);

/// The text around the parts of a multipart/byteranges body (RFC 9110, 14.6; RFC 2046, 5.1): for every range
/// part_head() and then its bytes, at last end(). Belongs to one answer.
class ByterangesFrame {
 public:
  /// `boundary`: 1 to 70 letters and digits that nobody can guess, lest a file imitate one; `content_type` of
  /// the file, empty for none; `size` of the whole file.
  ByterangesFrame(std::string_view boundary, std::string_view content_type, std::uint64_t size);

  /// Of the answer: multipart/byteranges; boundary=…
  std::string content_type() const;

  std::string part_head(const ByteRange& range) const;
  std::string end() const;

  /// Of the whole body; none where the sum is over 64 bits.
  std::optional<std::uint64_t> content_length(const std::vector<ByteRange>& ranges) const;

 private:
  std::string boundary_;
  std::string part_type_;
  std::uint64_t size_;
};

/// A multipart/byteranges body on its way: text, a range, text, a range …, text. Belongs to one answer.
class ByterangesBody {
 public:
  ByterangesBody(ByterangesFrame frame, std::vector<ByteRange> ranges)
      : frame_(std::move(frame)), ranges_(std::move(ranges)) {}

  const ByterangesFrame& frame() const { return frame_; }
  std::uint64_t content_length() const { return frame_.content_length(ranges_).value_or(0); }

  /// The text that comes next, then `range`, or the end where there is none.
  struct Piece {
    std::string text;
    std::optional<ByteRange> range;
  };
  Piece next() {
    if (next_ == ranges_.size()) return {frame_.end(), std::nullopt};
    const ByteRange& range = ranges_[next_++];
    return {frame_.part_head(range), range};
  }

 private:
  ByterangesFrame frame_;
  std::vector<ByteRange> ranges_;
  std::size_t next_ = 0;
};

/// 32 hexadecimal digits from getrandom(2). Empty where the kernel has none to give.
std::string random_boundary();

}  // namespace forklift
