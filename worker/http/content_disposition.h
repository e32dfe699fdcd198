#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace forklift {

enum class Disposition : std::uint8_t { kInline, kAttachment };

/// The value of Content-Disposition (RFC 6266) for a stored file: `attachment; filename="r_sum_.txt";
/// filename*=UTF-8''r%C3%A9sum%C3%A9.txt`. What follows the last '/' of `name` is the file's; where nothing
/// does, the disposition stands alone. filename* (RFC 8187) is there where the ASCII name had to differ. In
/// the ASCII name stand '_' for every other character, and for '"', '\' and '%', which clients read in more
/// than one way (RFC 6266, appendix D). Control characters are '_' in both; what is no UTF-8 is U+FFFD.
std::string content_disposition(Disposition disposition, std::string_view name);

}  // namespace forklift
