#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

/// The error log: lines on standard error, with time, level, program and process id. spdlog behind it, out
/// of sight of those who include this. Not for the data path, and not the access log. Nobody waits for its
/// reader: lines that standard error does not take are dropped, and a later line says how many.
namespace forklift::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// Once, first thing in main. `level` is one of debug, info, warning, error, critical (only errors).
void start(std::string_view program, std::string_view level);

/// Changes the level; the rest stays.
void set_level(std::string_view level);

bool enabled(Level level);
void write(Level level, std::string_view text);

namespace detail {
inline void append(std::string& text, std::string_view part) { text.append(part); }
inline void append(std::string& text, char part) { text.push_back(part); }
template <typename Number>
requires(std::is_arithmetic_v<Number> && !std::same_as<Number, char>) void append(std::string& text,
                                                                                  Number number) {
  text.append(std::to_string(number));
}
}  // namespace detail

/// The parts (strings, characters, numbers) one after the other: text("worker ", pid, " is ready").
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::string joined;
  (detail::append(joined, parts), ...);
  return joined;
}

template <typename... Parts>
void debug(const Parts&... parts) {
  if (enabled(Level::kDebug)) write(Level::kDebug, text(parts...));
}
template <typename... Parts>
void info(const Parts&... parts) {
  if (enabled(Level::kInfo)) write(Level::kInfo, text(parts...));
}
template <typename... Parts>
void warning(const Parts&... parts) {
  if (enabled(Level::kWarning)) write(Level::kWarning, text(parts...));
}
template <typename... Parts>
void error(const Parts&... parts) {
  if (enabled(Level::kError)) write(Level::kError, text(parts...));
}

}  // namespace forklift::log
