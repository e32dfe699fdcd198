#include "worker/http/chunk_guard.h"

#include "worker/http/head_guard.h"

namespace forklift {
namespace {

constexpr std::size_t kSizeLineBytesMax = 4096;
constexpr std::size_t kPlainSizeLineBytes = 16;    // hexadecimal digits of 64 bits
constexpr std::uint64_t kExcessBytesFree = 16384;  // for small bodies with talkative chunks
constexpr std::uint64_t kDataBytesPerExcessByte = 4;

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

Problem chunk_malformed() {
  return {400, "chunk-malformed", "The chunked body is not framed as RFC 9112, 7.1 says.", {}};
}

Problem chunk_excess() {
  return {400, "chunk-excess", "The chunked body spends too many bytes on chunk extensions; send fewer.", {}};
}

}  // namespace

ChunkGuard::ChunkGuard(const Limits& limits) : limits_(&limits) {}

std::optional<Problem> ChunkGuard::scan_framing(std::string_view bytes) {
  for (const char c : bytes) {
    if (auto refusal = accept(c)) return refusal;
  }
  return {};
}

std::optional<Problem> ChunkGuard::expect(bool as_expected, State next) {
  if (!as_expected) return chunk_malformed();
  state_ = next;
  return {};
}

std::optional<Problem> ChunkGuard::accept(char c) {
  switch (state_) {
    case State::kSize:
    case State::kExtension:
      return accept_size_line(c);
    case State::kSizeLf:
      line_bytes_ = 0;
      return expect(c == '\n', last_chunk_ ? State::kTrailerStart : State::kDataCr);
    case State::kDataCr:
      return expect(c == '\r', State::kDataLf);
    case State::kDataLf:
      last_chunk_ = true;
      return expect(c == '\n', State::kSize);
    case State::kTrailerStart:
    case State::kTrailer:
    case State::kTrailerLf:
      return accept_trailers(c);
    case State::kEndLf:
      return expect(c == '\n', State::kEnded);
    case State::kEnded:
      break;
  }
  return chunk_malformed();
}

std::optional<Problem> ChunkGuard::accept_size_line(char c) {
  if (c == '\r') return expect(line_bytes_ > 0, State::kSizeLf);
  if (++line_bytes_ > kSizeLineBytesMax) return chunk_excess();
  if (line_bytes_ > kPlainSizeLineBytes &&
      ++excess_bytes_ > kExcessBytesFree + data_bytes_ / kDataBytesPerExcessByte) {
    return chunk_excess();
  }
  if (state_ == State::kExtension) return is_control(c) ? expect(false, state_) : std::nullopt;
  if (c == ';') return expect(line_bytes_ > 1, State::kExtension);
  if (c != '0') last_chunk_ = false;
  return expect(is_hex_digit(c), State::kSize);
}

std::optional<Problem> ChunkGuard::accept_trailers(char c) {
  if (++trailer_bytes_ > limits_->header_bytes_max) return head_too_large(limits_->header_bytes_max);
  if (state_ == State::kTrailerLf) return expect(c == '\n', State::kTrailerStart);
  if (state_ == State::kTrailer) {
    if (c == '\r') return expect(true, State::kTrailerLf);
    return expect(!is_control(c), State::kTrailer);
  }
  if (c == '\r') return expect(true, State::kEndLf);
  if (++trailer_fields_ > limits_->header_count_max) return too_many_fields(limits_->header_count_max);
  return expect(!is_control(c) && c != ' ' && c != '\t' && c != ':', State::kTrailer);
}

}  // namespace forklift
