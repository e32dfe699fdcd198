#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forklift {

/// How the values of options are written. Every parser takes the whole text or yields nothing; every format
/// yields the shortest text that parses to the same number.

/// Decimal digits alone.
std::optional<std::int64_t> parse_count(std::string_view text);

/// Octal digits, with or without a leading "0" or "0o": what umask(1) takes.
std::optional<std::int64_t> parse_octal(std::string_view text);
std::string format_octal(std::int64_t number);

/// Bytes: a number, alone or with K, M, G, T (powers of 1024), also written KiB or KB, in either case.
std::optional<std::int64_t> parse_size(std::string_view text);
std::string format_size(std::int64_t bytes);

/// Milliseconds: a number, "0.5" too, with ms, s, m, h or d; seconds when alone. What is not zero does not
/// become zero.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);
std::string format_duration_ms(std::int64_t milliseconds);

/// "a|b|c" → a, b, c. Empty parts are kept.
std::vector<std::string> split(std::string_view text, char separator);

/// The candidate that `word` most likely was meant to be; nothing when none is near.
std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace forklift
