#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

#include "worker/http/request_head.h"
#include "worker/upload/body_sink.h"

namespace forklift {

/// What a file's answers say of it now.
struct Validators {
  std::string etag;  // strong, with its quotes
  std::time_t last_modified = 0;
};

/// Whether the head has any field that judge_preconditions or choose_range (range.h) looks at: one cheap look
/// for the many requests that have none.
bool has_conditions(const RequestHead& head);

/// What the preconditions of a request come to.
struct Precondition {
  enum class Verdict : std::uint8_t {
    kProceed,
    kNotModified,  // 304
    kFailed,       // 412
  };

  Verdict verdict = Verdict::kProceed;
  const char* why = "";    // of kFailed: a sentence, as the client reads it
  ExpectedState expected;  // of kProceed, for PUT and DELETE: to be held against the file at commit
};

/// Judges If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC
/// 9110, 13.2.2; If-Range is choose_range's. Pure; linear in the head. `current` is the file the request
/// names, none where there is none. `now` is only for dates whose year has two digits.
///
/// - Other methods than GET, HEAD, PUT and DELETE proceed: they change no file that has a name yet (13.2.1).
/// - GET, HEAD and DELETE of no file proceed to their 404, whatever was asked (13.2.1).
/// - A date that can't be read is no condition (13.1.3, 13.1.4), nor is one about no file. Tags that can't be
///   read fail If-Match, and If-None-Match of PUT and DELETE: who asks for care gets it. GET then proceeds.
/// - `expected` asks If-Match again where it stands alone, with 16 tags at most. Whatever else held becomes:
///   the file (or its absence) is still what it was judged by.
Precondition judge_preconditions(const RequestHead& head, const std::optional<Validators>& current,
                                 std::time_t now);

}  // namespace forklift
