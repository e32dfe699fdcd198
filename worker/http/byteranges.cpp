#include "worker/http/byteranges.h"

#include <sys/random.h>

#include <array>

namespace forklift {

std::string random_boundary() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + '-' + std::to_string(range.last) + '/' +
         std::to_string(size);
}

std::string unsatisfied_content_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

ByterangesFrame::ByterangesFrame(std::string_view boundary, std::string_view content_type, std::uint64_t size)
    : boundary_(boundary), part_type_(content_type), size_(size) {}

std::string ByterangesFrame::content_type() const { return "multipart/byteranges; boundary=" + boundary_; }

std::string ByterangesFrame::part_head(const ByteRange& range) const {
  std::string head = "\r\n--" + boundary_ + "\r\n";
  if (!part_type_.empty()) head += "Content-Type: " + part_type_ + "\r\n";
  return head + "Content-Range: " + content_range(range, size_) + "\r\n\r\n";
}

std::string ByterangesFrame::end() const { return "\r\n--" + boundary_ + "--\r\n"; }

std::optional<std::uint64_t> ByterangesFrame::content_length(const std::vector<ByteRange>& ranges) const {
  std::uint64_t sum = end().size();
  for (const ByteRange& range : ranges) {
    if (__builtin_add_overflow(sum, part_head(range).size(), &sum)) return std::nullopt;
    if (__builtin_add_overflow(sum, range.size(), &sum)) return std::nullopt;
  }
  return sum;
}

}  // namespace forklift
