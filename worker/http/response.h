#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace forklift {

/// What a response head says. Views must live until the call returns.
struct ResponseHead {
  int status = 200;
  std::string_view content_type = {};                // empty: no Content-Type
  std::optional<std::uint64_t> content_length = {};  // absent only for 1xx, 204 and 304
  bool keep_alive = true;                            // false: Connection: close
  int http_minor = 1;                                // of the request; 1.0 keep-alive is said aloud
  std::string_view request_id = {};                  // X-Request-Id; empty: none
  std::string_view allow = {};
  int retry_after_s = 0;           // 0: no Retry-After
  std::string_view location = {};  // already percent-encoded
  std::string_view etag = {};      // with its quotes
  std::optional<std::time_t> last_modified = {};
  std::string_view content_range = {};
  std::string_view content_disposition = {};
  std::string_view strategy = {};            // Forklift-Strategy: what moved the file's bytes; empty: none
  std::string_view durability = {};          // Forklift-Durability: how far an upload has gone; empty: none
  std::string_view repr_digest = {};         // RFC 9530
  std::string_view preference_applied = {};  // RFC 7240
  std::string_view fields = {};              // further header lines, whole: each with its "\r\n"
};

/// Appends an IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). What lies
/// outside the years 0 to 9999 is said to be at their beginning or end.
void append_http_date(std::string& out, std::time_t time);

/// The Date of every answer, formatted once a second. One a worker, owned by its server.
class DateCache {
 public:
  /// Valid until the next call.
  std::string_view text(std::time_t now);

 private:
  std::time_t second_ = 0;
  std::string text_;
};

/// Appends the head, up to and including the empty line, to `out`. `date` comes from a DateCache.
void append_head(std::string& out, const ResponseHead& head, std::string_view date);

/// The interim answer to Expect: 100-continue.
std::string_view continue_head();

}  // namespace forklift
