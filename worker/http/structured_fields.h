#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forklift {

/// Reads a dictionary (RFC 8941, 3.2) member by member: "sha-256=:…:, a=1;q=2, b, c=(x y)". Every member is
/// held against the grammar, parameters are skipped. A view on the value, which must outlive it. Where a key
/// comes twice the later member counts: that is for the caller.
class DictionaryReader {
 public:
  /// `item` is its text without parameters: ":aGk=:", "10", "(x y)"; "?1" where the key stands alone.
  struct Member {
    std::string_view key;
    std::string_view item;
  };

  explicit DictionaryReader(std::string_view value);

  /// The next one; none at the end, and where malformed().
  std::optional<Member> next();

  bool malformed() const { return malformed_; }

 private:
  std::string_view take_key();
  void skip_parameters();
  void skip_item();
  void skip_inner_list();
  void skip_string();
  void skip_number();
  void skip_digits(std::size_t digits_max);
  void skip_comma();

  bool at(char byte) const { return !rest_.empty() && rest_.front() == byte; }
  bool at_any(bool (*is)(char)) const { return !rest_.empty() && is(rest_.front()); }
  bool skip(char byte);
  void skip_while(bool (*is)(char));
  void fail();

  std::string_view rest_;
  bool first_ = true;
  bool malformed_ = false;
};

/// Decodes base64 (RFC 4648, 4) of exactly as many bytes as `out` has. False where it is anything else. As
/// RFC 8941, 4.2.7 asks, padding may be missing (not be too much) and its bits are not looked at.
bool decode_base64(std::string_view text, std::span<std::byte> out);

/// The same of ":…:" (RFC 8941, 3.3.5).
bool decode_byte_sequence(std::string_view item, std::span<std::byte> out);

/// ":…:", with padding.
std::string byte_sequence(std::span<const std::byte> bytes);

}  // namespace forklift
