#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace forklift {

/// Reads the parameters of a header value, `; key=value; key="value"`, one by one. A view on the value, which
/// must outlive it. In a quoted value `\"` and `\\` stand for the second character (curl); any other
/// backslash is itself, and so is one before a quote that no other follows (browsers escape no backslash).
class HeaderParams {
 public:
  struct Param {
    std::string_view key;
    std::string value;
    bool quoted;
  };

  /// `rest` begins behind the value proper ("form-data"), at the first ';' or white space.
  explicit HeaderParams(std::string_view rest) : rest_(rest) {}

  /// The next one; empty at the end, and where malformed().
  std::optional<Param> next();

  bool malformed() const { return malformed_; }

 private:
  std::optional<Param> fail();
  void skip_white();
  std::optional<std::string> read_quoted();
  std::string read_token();

  std::string_view rest_;
  bool malformed_ = false;
};

}  // namespace forklift
