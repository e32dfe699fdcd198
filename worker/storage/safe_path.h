#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace forklift {

// The names files may have: paths relative to the root, parts separated by '/'. Pure functions; no file
// system is asked, so a name that passes here is still opened by the rules of worker/storage/beneath.h.

/// A part may have this many bytes (NAME_MAX), a whole name this many (PATH_MAX without its NUL).
inline constexpr std::size_t kNamePartBytesMax = 255;
inline constexpr std::size_t kNameBytesMax = 4095;

/// Where the server keeps what is its own, in the root. Never served, never listed, never written from
/// outside.
inline constexpr std::string_view kPrivateDirectory = ".forklift";

/// Is this a name a file of ours may have? kBadName: empty name or part, "." or "..", leading or trailing
/// '/', NUL or a control character (below 0x20, 0x7f). kNameTooLong. kReservedName: the first part is
/// "upload", "download" or ".forklift". Backslash is an ordinary character; bytes need not be UTF-8.
Result<void> check_name(std::string_view name);

/// Percent-encoded text (RFC 3986, 2.1), decoded exactly once; nothing where a '%' is not followed by two
/// hexadecimal digits. '+' is itself.
std::optional<std::string> decode_percent(std::string_view encoded);

/// The name in a percent-encoded part of a request target (RFC 3986), decoded exactly once, and checked. '+'
/// is itself. kBadName also for a '%' that two hexadecimal digits do not follow.
Result<std::string> decode_name(std::string_view encoded);

}  // namespace forklift
