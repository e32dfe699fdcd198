#include "worker/http/http_date.h"

#include <array>
#include <chrono>

namespace forklift {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Not judged yet.
struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Reads from the front; what it finds otherwise than asked makes it fail for good.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}

  bool reached_end() const { return sound_ && rest_.empty(); }

  void literal(std::string_view text) {
    sound_ = sound_ && rest_.substr(0, text.size()) == text;
    if (sound_) rest_.remove_prefix(text.size());
  }

  int number(std::size_t digits) {
    sound_ = sound_ && rest_.size() >= digits;
    int value = 0;
    for (std::size_t i = 0; sound_ && i < digits; ++i) {
      sound_ = rest_[i] >= '0' && rest_[i] <= '9';
      value = value * 10 + (rest_[i] - '0');
    }
    if (sound_) rest_.remove_prefix(digits);
    return value;
  }

  /// One or two digits in two places.
  int padded_number() {
    if (rest_.substr(0, 1) != " ") return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }

  /// The first `bytes` of a day's name; 0: all.
  void day_name(std::size_t bytes) {
    for (const std::string_view day : kDays) {
      const std::string_view name = day.substr(0, bytes == 0 ? day.size() : bytes);
      if (rest_.substr(0, name.size()) == name) return literal(name);
    }
    sound_ = false;
  }

  unsigned month() {
    for (unsigned i = 0; i < kMonths.size(); ++i) {
      if (rest_.substr(0, 3) != kMonths[i]) continue;
      literal(kMonths[i]);
      return i + 1;
    }
    sound_ = false;
    return 0;
  }

  void time(Fields& into) {
    into.hour = number(2);
    literal(":");
    into.minute = number(2);
    literal(":");
    into.second = number(2);
  }

 private:
  std::string_view rest_;
  bool sound_ = true;
};

/// What IMF-fixdate and the RFC 850 form have in common.
std::optional<Fields> read_with_comma(std::string_view text, std::size_t day_name_bytes,
                                      std::string_view separator, std::size_t year_digits) {
  Cursor cursor(text);
  Fields fields;
  cursor.day_name(day_name_bytes);
  cursor.literal(", ");
  fields.day = static_cast<unsigned>(cursor.number(2));
  cursor.literal(separator);
  fields.month = cursor.month();
  cursor.literal(separator);
  fields.year = cursor.number(year_digits);
  cursor.literal(" ");
  cursor.time(fields);
  cursor.literal(" GMT");
  return cursor.reached_end() ? std::optional(fields) : std::nullopt;
}

std::optional<Fields> read_imf(std::string_view text) { return read_with_comma(text, 3, " ", 4); }

std::optional<Fields> read_rfc850(std::string_view text) { return read_with_comma(text, 0, "-", 2); }

std::optional<Fields> read_asctime(std::string_view text) {
  Cursor cursor(text);
  Fields fields;
  cursor.day_name(3);
  cursor.literal(" ");
  fields.month = cursor.month();
  cursor.literal(" ");
  fields.day = static_cast<unsigned>(cursor.padded_number());
  cursor.literal(" ");
  cursor.time(fields);
  cursor.literal(" ");
  fields.year = cursor.number(4);
  return cursor.reached_end() ? std::optional(fields) : std::nullopt;
}

std::optional<std::time_t> time_of(const Fields& fields) {
  const std::chrono::year_month_day date{std::chrono::year(fields.year), std::chrono::month(fields.month),
                                         std::chrono::day(fields.day)};
  if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) return std::nullopt;
  const std::time_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + fields.hour) * 60 + fields.minute) * 60 + fields.second;
}

/// The two digits of the year are those of a century yet to be found.
std::optional<std::time_t> time_near(Fields fields, std::time_t now) {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::from_time_t(now));
  const int this_year = static_cast<int>(std::chrono::year_month_day(today).year());
  const int latest_year = this_year + 50;
  fields.year += latest_year - latest_year % 100;
  if (fields.year > latest_year) fields.year -= 100;
  return time_of(fields);
}

}  // namespace

std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now) {
  if (const auto fields = read_imf(text)) return time_of(*fields);
  if (const auto fields = read_asctime(text)) return time_of(*fields);
  if (const auto fields = read_rfc850(text)) return time_near(*fields, now);
  return std::nullopt;
}

}  // namespace forklift
