#include "common/option_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace forklift {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array kSizeUnits{Unit{"TiB", 1LL << 40}, Unit{"GiB", 1LL << 30}, Unit{"MiB", 1LL << 20},
                                Unit{"KiB", 1LL << 10}};
constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                    Unit{"s", 1'000}, Unit{"ms", 1}};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::optional<std::int64_t> parse_digits(std::string_view text, int base) {
  if (text.empty() || text.front() == '-') return std::nullopt;
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number, base);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// Where the number ends and the unit begins.
std::size_t unit_offset(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789."), text.size());
}

std::optional<std::int64_t> size_factor(std::string_view unit) {
  const std::string name = upper(unit);
  if (name.empty() || name == "B") return 1;
  for (const Unit& candidate : kSizeUnits) {
    const std::string letter(candidate.name.substr(0, 1));
    if (name == letter || name == letter + "B" || name == letter + "IB") return candidate.factor;
  }
  return std::nullopt;
}

std::optional<std::int64_t> duration_factor(std::string_view unit) {
  if (unit.empty()) return 1000;
  for (const Unit& candidate : kDurationUnits) {
    if (unit == candidate.name) return candidate.factor;
  }
  return std::nullopt;
}

template <typename Units>
std::string format_in(const Units& units, std::int64_t number, std::string_view without) {
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) {
      return std::to_string(number / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(number) + std::string(without);
}

/// Levenshtein, one row at a time.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[right.size()];
}

}  // namespace

std::optional<std::int64_t> parse_count(std::string_view text) { return parse_digits(text, 10); }

std::optional<std::int64_t> parse_octal(std::string_view text) {
  if (text.starts_with("0o")) text.remove_prefix(2);
  return parse_digits(text, 8);
}

std::string format_octal(std::int64_t number) {
  if (number == 0) return "0";
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 8).ptr;
  return "0" + std::string(digits.data(), end);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  const std::size_t digits = unit_offset(text);
  const auto number = parse_count(text.substr(0, digits));
  const auto factor = size_factor(text.substr(digits));
  if (!number || !factor || *number > kLargest / *factor) return std::nullopt;
  return *number * *factor;
}

std::string format_size(std::int64_t bytes) { return format_in(kSizeUnits, bytes, ""); }

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  const std::size_t digits = unit_offset(text);
  const auto factor = duration_factor(text.substr(digits));
  if (!factor || digits == 0 || text.front() == '.') return std::nullopt;
  double number = 0;
  const char* end = text.data() + digits;
  const auto [stop, failure] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (failure != std::errc() || stop != end) return std::nullopt;
  const double milliseconds = std::round(number * static_cast<double>(*factor));
  if (milliseconds > 1e15 || (number > 0 && milliseconds < 1)) return std::nullopt;
  return static_cast<std::int64_t>(milliseconds);
}

std::string format_duration_ms(std::int64_t milliseconds) {
  return format_in(kDurationUnits, milliseconds, "s");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t apart = distance(word, candidate);
    if (apart >= best_distance) continue;
    best = candidate;
    best_distance = apart;
  }
  return best;
}

}  // namespace forklift
