#include "worker/http/response.h"

#include <charconv>

#include "worker/http/problem.h"

namespace forklift {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void append_two_digits(std::string& out, int number) {
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
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

void append_http_date(std::string& out, std::time_t time) {
  std::tm utc{};
  gmtime_r(&time, &utc);
  out.append(kDays + 3 * utc.tm_wday, 3);
  out += ", ";
  append_two_digits(out, utc.tm_mday);
  out += ' ';
  out.append(kMonths + 3 * utc.tm_mon, 3);
  out += ' ';
  append_two_digits(out, (utc.tm_year + 1900) / 100);
  append_two_digits(out, (utc.tm_year + 1900) % 100);
  out += ' ';
  append_two_digits(out, utc.tm_hour);
  out += ':';
  append_two_digits(out, utc.tm_min);
  out += ':';
  append_two_digits(out, utc.tm_sec);
  out += " GMT";
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
