#include "worker/http/content_disposition.h"

#include "worker/http/percent.h"

namespace forklift {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

struct Character {
  std::string_view bytes;
  bool control = false;
};

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

/// Of the character at the front by its first two bytes; 0 where it is no UTF-8 (RFC 3629, 4).
std::size_t utf8_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  if (!continues(text, 1)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    return !overlong && !surrogate && continues(text, 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool beyond = first == 0xf4 && second > 0x8f;
    return !overlong && !beyond && continues(text, 2) && continues(text, 3) ? 4 : 0;
  }
  return 0;
}

/// C0, DEL and C1.
bool is_control(std::string_view character) {
  const auto last = static_cast<unsigned char>(character.back());
  if (character.size() == 1) return last < 0x20 || last == 0x7f;
  return character.size() == 2 && character[0] == '\xc2' && last < 0xa0;
}

Character take_character(std::string_view& rest) {
  const std::size_t size = utf8_bytes(rest);
  if (size == 0) {
    rest.remove_prefix(1);
    return {kReplacement};
  }
  const std::string_view bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return {bytes, is_control(bytes)};
}

char ascii_of(const Character& character) {
  const char byte = character.bytes[0];
  const bool plain =
      character.bytes.size() == 1 && !character.control && byte != '"' && byte != '\\' && byte != '%';
  return plain ? byte : '_';
}

/// attr-char (RFC 8187, 3.2.1).
bool is_attribute_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         std::string_view("!#$&+-.^_`|~").find(byte) != std::string_view::npos;
}

void append_encoded(std::string& out, const Character& character) {
  if (character.control)
    out += '_';
  else
    append_percent_encoded(out, character.bytes, is_attribute_byte);
}

}  // namespace

std::string content_disposition(Disposition disposition, std::string_view name) {
  std::string value = disposition == Disposition::kInline ? "inline" : "attachment";
  name.remove_prefix(name.rfind('/') + 1);
  if (name.empty()) return value;
  std::string ascii;
  std::string encoded;
  for (std::string_view rest = name; !rest.empty();) {
    const Character character = take_character(rest);
    ascii += ascii_of(character);
    append_encoded(encoded, character);
  }
  value += "; filename=\"" + ascii + '"';
  if (ascii != name) value += "; filename*=UTF-8''" + encoded;
  return value;
}

}  // namespace forklift
