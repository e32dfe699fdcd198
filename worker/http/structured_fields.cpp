#include "worker/http/structured_fields.h"

#include <algorithm>

namespace forklift {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_space(char c) { return c == ' '; }
bool is_white(char c) { return c == ' ' || c == '\t'; }

bool is_key_byte(char c) {
  return is_lower(c) || is_digit(c) || std::string_view("_-.*").find(c) != kAlphabet.npos;
}

bool is_token_byte(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~:/").find(c) != kAlphabet.npos;
}

bool is_base64_byte(char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '='; }

}  // namespace

DictionaryReader::DictionaryReader(std::string_view value) : rest_(value) { skip_while(is_space); }

std::optional<DictionaryReader::Member> DictionaryReader::next() {
  if (!first_) skip_comma();
  first_ = false;
  if (rest_.empty()) return std::nullopt;
  Member member{take_key(), "?1"};
  if (skip('=')) {
    const std::string_view from = rest_;
    if (at('(')) {
      skip_inner_list();
    } else {
      skip_item();
    }
    member.item = from.substr(0, from.size() - rest_.size());
  }
  skip_parameters();
  return malformed_ ? std::nullopt : std::optional(member);
}

/// From behind a member to the next one, or to the end.
void DictionaryReader::skip_comma() {
  skip_while(is_white);
  if (rest_.empty()) return;
  if (!skip(',')) return fail();
  skip_while(is_white);
  if (rest_.empty()) fail();
}

std::string_view DictionaryReader::take_key() {
  const std::string_view from = rest_;
  if (!at_any(is_lower) && !at('*')) fail();
  skip_while(is_key_byte);
  return from.substr(0, from.size() - rest_.size());
}

void DictionaryReader::skip_parameters() {
  while (skip(';')) {
    skip_while(is_space);
    take_key();
    if (skip('=')) skip_item();
  }
}

void DictionaryReader::skip_item() {
  if (at('"')) return skip_string();
  if (at('-') || at_any(is_digit)) return skip_number();
  if (at_any(is_alpha) || at('*')) return skip_while(is_token_byte);
  if (skip(':')) {
    skip_while(is_base64_byte);
    if (!skip(':')) fail();
    return;
  }
  if (skip('?') && (skip('0') || skip('1'))) return;
  fail();
}

void DictionaryReader::skip_inner_list() {
  skip('(');
  for (skip_while(is_space); !skip(')'); skip_while(is_space)) {
    skip_item();
    skip_parameters();
    if (malformed_ || !(at(' ') || at(')'))) return fail();
  }
}

void DictionaryReader::skip_string() {
  skip('"');
  while (!skip('"')) {
    const bool escape = skip('\\');
    const bool sound =
        !rest_.empty() && rest_.front() >= ' ' && rest_.front() <= '~' && (!escape || at('"') || at('\\'));
    if (!sound) return fail();
    rest_.remove_prefix(1);
  }
}

/// At most 15 digits, or 12 and 3 behind the point (RFC 8941, 3.3.1 and 3.3.2).
void DictionaryReader::skip_number() {
  const std::string_view from = rest_;
  skip('-');
  skip_digits(15);
  const bool decimal_too_long = from.size() - rest_.size() > 12 + (from.front() == '-' ? 1u : 0u);
  if (!skip('.')) return;
  if (decimal_too_long) return fail();
  skip_digits(3);
}

void DictionaryReader::skip_digits(std::size_t digits_max) {
  const std::size_t before = rest_.size();
  skip_while(is_digit);
  const std::size_t digits = before - rest_.size();
  if (digits == 0 || digits > digits_max) fail();
}

bool DictionaryReader::skip(char byte) {
  if (!at(byte)) return false;
  rest_.remove_prefix(1);
  return true;
}

void DictionaryReader::skip_while(bool (*is)(char)) {
  while (at_any(is)) rest_.remove_prefix(1);
}

void DictionaryReader::fail() {
  malformed_ = true;
  rest_ = {};
}

bool decode_base64(std::string_view text, std::span<std::byte> out) {
  const std::size_t digits = (out.size() * 8 + 5) / 6;
  const std::size_t padded = (digits + 3) / 4 * 4;
  if (text.size() != digits && text.size() != padded) return false;
  if (text.substr(digits).find_first_not_of('=') != text.npos) return false;
  std::size_t written = 0;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char digit : text.substr(0, digits)) {
    const std::size_t value = kAlphabet.find(digit);
    if (value == kAlphabet.npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[written++] = static_cast<std::byte>(bits >> held & 0xff);
  }
  return true;
}

bool decode_byte_sequence(std::string_view item, std::span<std::byte> out) {
  if (item.size() < 2 || item.front() != ':' || item.back() != ':') return false;
  return decode_base64(item.substr(1, item.size() - 2), out);
}

std::string byte_sequence(std::span<const std::byte> bytes) {
  std::string text = ":";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text + ':';
}

}  // namespace forklift
