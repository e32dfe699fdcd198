#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "worker/upload/base64.h"
#include "worker/upload/base64_reader.h"

namespace {

using namespace forklift;

struct Outcome {
  std::vector<std::byte> bytes;
  std::int64_t fault = -1;
  bool operator==(const Outcome&) const = default;
};

/// In one call over memory of exactly its size.
Outcome decode_whole(const Base64Codec& codec, std::string_view text) {
  const std::vector<char> exact(text.begin(), text.end());
  std::vector<std::byte> out(text.size() / 4 * 3);
  const Base64Step step = codec.decode({exact.data(), exact.size()}, out, true);
  if (!step.ok()) return {{}, static_cast<std::int64_t>(step.fault)};
  if (step.consumed != text.size()) std::abort();
  out.resize(step.written);
  return {out};
}

Outcome decode_pieces(const Base64Codec& codec, std::string_view text, std::size_t piece) {
  Base64Reader reader(text, 0, codec);
  const auto expected = reader.size();
  Outcome outcome;
  for (;;) {
    std::vector<std::byte> out(piece);
    const auto size = reader.read(out);
    if (!size) return {{}, size.error().position};
    outcome.bytes.insert(outcome.bytes.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*size));
    if (*size < piece) break;
  }
  if (expected && *expected != outcome.bytes.size()) std::abort();
  return outcome;
}

/// A backslash belongs to the reader alone.
bool has_escape(std::string_view text) { return text.find('\\') != std::string_view::npos; }

}  // namespace

/// The first byte says how large the pieces are. Every codec, in pieces or whole, takes the same texts,
/// decodes them to the same bytes, and finds the same fault in the others.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 67u + 1;
  const Outcome pieces = decode_pieces(*forklift::base64_codecs().front(), text, piece);
  for (const Base64Codec* codec : forklift::base64_codecs()) {
    if (decode_pieces(*codec, text, piece) != pieces) std::abort();
    if (decode_pieces(*codec, text, 4096) != pieces) std::abort();
    if (!has_escape(text) && decode_whole(*codec, text) != pieces) std::abort();
  }
  return 0;
}
