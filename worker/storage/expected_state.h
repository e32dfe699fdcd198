#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace forklift {

/// What must stand at a name for a PUT or DELETE to be committed: its preconditions were judged when the head
/// came, and others may have written since. Plain data that travels with the upload; compared under the lock
/// of the name.
struct ExpectedState {
  enum class Kind : std::uint8_t {
    kAny,      // nothing was asked
    kAbsent,   // no file
    kPresent,  // a file
    kOneOf,    // a file with one of `etags`
    kNoneOf,   // no file, or one with another ETag
  };

  Kind kind = Kind::kAny;
  std::vector<std::string> etags = {};  // strong, with their quotes

  /// `etag` of the file that is there now, strong and with its quotes; none where there is no file.
  bool holds(std::optional<std::string_view> etag) const;

  /// It holds of no missing file.
  bool needs_file() const { return kind == Kind::kPresent || kind == Kind::kOneOf; }
};

/// kPrecondition (kExists for kAbsent) when `there`, a file or nullptr for none, is not what was expected.
Result<void> check_expected(const ExpectedState& expected, const struct stat* there);

}  // namespace forklift
