#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace forklift {

/// Reads an HTTP-date (RFC 9110, 5.6.7) in any of its three forms, in exactly their spelling:
/// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
/// The day and time must exist (second 60 is the one after 59); the name of the day may be any day's. `now`
/// is for the second form: its year is the last one with these digits that is at most this year's plus 50.
/// Its writer is append_http_date (response.h).
std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now);

}  // namespace forklift
