#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forklift {

/// What a file must still be when a PUT or DELETE is committed: its preconditions were judged when the head
/// came, and others may have written since. Plain data that travels with the upload; compared under the lock
/// of the name.
struct ExpectedState {
  enum class Kind : std::uint8_t {
    kAny,      // nothing was asked
    kAbsent,   // no file
    kPresent,  // a file
    kOneOf,    // a file with one of `etags`
  };

  Kind kind = Kind::kAny;
  std::vector<std::string> etags = {};  // strong, with their quotes

  /// `etag` of the file that is there now, strong and with its quotes; none where there is no file.
  bool holds(std::optional<std::string_view> etag) const;
};

}  // namespace forklift
