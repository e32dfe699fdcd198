#include "worker/upload/base64_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace forklift {

namespace {

/// The character at the start of `raw` and how many bytes stand for it. An escape that can't be base64 stays
/// a backslash, which no codec takes.
struct Unescaped {
  char character;
  std::size_t raw_size;
};

Unescaped unescape_one(std::string_view raw) {
  if (raw[0] == '\\' && raw.size() >= 2 && raw[1] == '/') return {'/', 2};
  if (raw[0] != '\\' || raw.size() < 6 || raw[1] != 'u') return {raw[0], 1};
  unsigned code = 0;
  const char* end = raw.data() + 6;
  const auto parsed = std::from_chars(raw.data() + 2, end, code, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end || code >= 0x80) return {'\\', 1};
  return {static_cast<char>(code), 6};
}

/// How many raw bytes stand for the first `count` characters.
std::size_t raw_size_of(std::string_view raw, std::size_t count) {
  std::size_t size = 0;
  for (; count > 0 && size < raw.size(); --count) size += unescape_one(raw.substr(size)).raw_size;
  return size;
}

}  // namespace

Base64Reader::Base64Reader(std::string_view inside, std::size_t offset, const Base64Codec& codec)
    : codec_(codec), escaped_(inside.find('\\') != std::string_view::npos), block_offset_(offset) {
  if (escaped_) {
    raw_ = inside;
  } else {
    block_ = ready_ = inside;
  }
}

std::optional<std::uint64_t> Base64Reader::size() const {
  if (escaped_) return std::nullopt;
  const std::size_t padding = block_.ends_with("==") ? 2 : block_.ends_with('=') ? 1 : 0;
  return block_.size() / 4 * 3 - (block_.size() < 4 ? 0 : padding);
}

Result<std::size_t> Base64Reader::read(std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    if (!spill_.empty()) {
      const std::size_t size = std::min(spill_.size(), out.size() - filled);
      std::copy_n(spill_.begin(), size, out.begin() + static_cast<std::ptrdiff_t>(filled));
      spill_ = spill_.subspan(size);
      filled += size;
      continue;
    }
    if (ready_.empty() && raw_.empty()) break;
    if (ready_.empty()) unescape_block();
    const bool fits = out.size() - filled >= 3;
    const std::string_view text = fits ? ready_ : ready_.substr(0, 4);
    const Base64Step step = codec_.decode(text, fits ? out.subspan(filled) : std::span(group_),
                                          raw_.empty() && text.size() == ready_.size());
    if (!step.ok()) return bad_base64(step.fault);
    ready_.remove_prefix(step.consumed);
    if (fits) {
      filled += step.written;
    } else {
      spill_ = std::span(group_).first(step.written);
    }
  }
  return filled;
}

void Base64Reader::unescape_block() {
  block_offset_ += block_raw_.size();
  const std::string_view from = raw_;
  std::size_t size = 0;
  while (size < unescaped_.size() && !raw_.empty()) {
    const std::size_t plain = std::min({raw_.find('\\'), raw_.size(), unescaped_.size() - size});
    std::memcpy(unescaped_.data() + size, raw_.data(), plain);
    raw_.remove_prefix(plain);
    size += plain;
    if (raw_.empty() || size == unescaped_.size()) break;
    const Unescaped next = unescape_one(raw_);
    unescaped_[size++] = next.character;
    raw_.remove_prefix(next.raw_size);
  }
  block_raw_ = from.substr(0, from.size() - raw_.size());
  block_ = ready_ = {unescaped_.data(), size};
}

Error Base64Reader::bad_base64(std::size_t fault) const {
  const std::size_t index = static_cast<std::size_t>(ready_.data() - block_.data()) + fault;
  const std::size_t position = block_offset_ + (escaped_ ? raw_size_of(block_raw_, index) : index);
  return {ErrorCode::kBadBody, "The file is not valid base64 (RFC 4648, section 4).", 0,
          static_cast<std::int64_t>(position)};
}

}  // namespace forklift
