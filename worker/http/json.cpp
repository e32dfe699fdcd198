#include "worker/http/json.h"

#include <cstddef>

namespace forklift {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr char kHex[] = "0123456789abcdef";

unsigned char byte_at(std::string_view text, std::size_t index) {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// Bytes of the well-formed UTF-8 sequence at `index` (Unicode 15, table 3-7); 0: there is none.
std::size_t sequence_bytes(std::string_view text, std::size_t index) {
  const unsigned char first = byte_at(text, index);
  const unsigned char second = byte_at(text, index + 1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !is_continuation(second)) return 0;
  if (first < 0xE0) return 2;
  if (!is_continuation(byte_at(text, index + 2))) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool too_big = first == 0xF4 && second > 0x8F;
  return overlong || too_big || !is_continuation(byte_at(text, index + 3)) ? 0 : 4;
}

void append_ascii(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out += {'\\', c};
  } else if (byte < 0x20 || byte == 0x7F) {
    out += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
  } else {
    out += c;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = sequence_bytes(text, i);
    if (bytes == 1) {
      append_ascii(out, text[i]);
    } else {
      out += bytes == 0 ? kReplacement : text.substr(i, bytes);
    }
    i += bytes == 0 ? 1 : bytes;
  }
  out += '"';
}

}  // namespace forklift
