#include "worker/http/response.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

#include "worker/http/problem.h"

namespace forklift {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// What four digits of a year can say.
constexpr std::time_t kTimeMin = -62'167'219'200;  // 0000-01-01
constexpr std::time_t kTimeMax = 253'402'300'799;  // 9999-12-31

void put_two_digits(char* at, unsigned number) {
  at[0] = static_cast<char>('0' + number / 10);
  at[1] = static_cast<char>('0' + number % 10);
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_field(std::string& out, std::string_view name_and_colon, std::string_view value) {
  if (value.empty()) return;
  out += name_and_colon;
  out += value;
  out += "\r\n";
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

/// HTTP/1.1 stays open unless told otherwise; 1.0 closes unless told otherwise (RFC 9112, 9.3).
void append_connection(std::string& out, const ResponseHead& head) {
  if (!head.keep_alive) {
    out += "Connection: close\r\n";
  } else if (head.http_minor == 0) {
    out += "Connection: keep-alive\r\n";
  }
}

}  // namespace

// Every answer with a file has one; gmtime_r takes a lock and three times as long.
void append_http_date(std::string& out, std::time_t time) {
  using namespace std::chrono;
  const sys_seconds moment{seconds(std::clamp(time, kTimeMin, kTimeMax))};
  const sys_days day = floor<days>(moment);
  const year_month_day date(day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  const auto second = static_cast<unsigned>((moment - day).count());
  char text[] = "Sun, 06 Nov 1994 08:49:37 GMT";
  std::memcpy(text, kDays + 3 * weekday(day).c_encoding(), 3);
  put_two_digits(text + 5, static_cast<unsigned>(date.day()));
  std::memcpy(text + 8, kMonths + 3 * (static_cast<unsigned>(date.month()) - 1), 3);
  put_two_digits(text + 12, year / 100);
  put_two_digits(text + 14, year % 100);
  put_two_digits(text + 17, second / 3600);
  put_two_digits(text + 20, second / 60 % 60);
  put_two_digits(text + 23, second % 60);
  out.append(text, sizeof text - 1);
}

std::string_view DateCache::text(std::time_t now) {
  if (now != second_ || text_.empty()) {
    text_.clear();
    append_http_date(text_, now);
    second_ = now;
  }
  return text_;
}

void append_head(std::string& out, const ResponseHead& head, std::string_view date) {
  append_status_line(out, head.status);
  append_field(out, "Date: ", date);
  out += "Server: forklift\r\n";
  append_field(out, "Content-Type: ", head.content_type);
  const bool may_have_length =
      head.status >= 200 && head.status != 204 && head.status != 304;  // RFC 9110, 8.6
  if (head.content_length && may_have_length) {
    out += "Content-Length: ";
    append_number(out, *head.content_length);
    out += "\r\n";
  }
  append_field(out, "ETag: ", head.etag);
  if (head.last_modified) {
    out += "Last-Modified: ";
    append_http_date(out, *head.last_modified);
    out += "\r\n";
  }
  append_field(out, "Content-Range: ", head.content_range);
  append_field(out, "Content-Disposition: ", head.content_disposition);
  append_field(out, "Forklift-Strategy: ", head.strategy);
  append_field(out, "Forklift-Durability: ", head.durability);
  append_field(out, "Repr-Digest: ", head.repr_digest);
  append_field(out, "Preference-Applied: ", head.preference_applied);
  out += head.fields;
  append_field(out, "Location: ", head.location);
  append_field(out, "Allow: ", head.allow);
  if (head.retry_after_s > 0) {
    out += "Retry-After: ";
    append_number(out, static_cast<std::uint64_t>(head.retry_after_s));
    out += "\r\n";
  }
  append_field(out, "X-Request-Id: ", head.request_id);
  append_connection(out, head);
  out += "\r\n";
}

std::string_view continue_head() { return "HTTP/1.1 100 Continue\r\n\r\n"; }

}  // namespace forklift
