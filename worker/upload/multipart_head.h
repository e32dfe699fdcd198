#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace forklift {

/// What the header of one part of a form says (RFC 7578, 4.2). Bytes as the client sent them, escapes undone:
/// data, never a path.
struct PartHead {
  std::string name;
  std::optional<std::string> filename;  // of a file; empty where a browser's file input was left unused

  /// A part is a file when it has a filename, or is called "file".
  bool is_file() const { return filename.has_value() || name == "file"; }
};

/// Reads the header of a part: lines that end in CRLF, without the empty one. Undoes %22, %0D and %0A as
/// browsers write them and \" and \\ as curl does; ignores `filename*` (RFC 7578, 4.2) and every field but
/// Content-Disposition. kBadBody with the sentence for the client; `position` counts from the start of
/// `head`.
Result<PartHead> parse_part_head(std::string_view head);

}  // namespace forklift
