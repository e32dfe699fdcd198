#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace forklift {

/// A refusal, as the client reads it: problem details (RFC 9457). `type` is a stable word of ours
/// ("name-reserved"), from which the type URI is made; it never changes once published.
struct Problem {
  int status;
  const char* type;
  std::string detail;       // one sentence: the thing and the remedy
  std::string allow;        // the Allow header of a 405, else empty
  const char* fields = "";  // further header lines of the answer, whole: each with its "\r\n"
  std::string etag = {};    // of the file that there is, where that is what the refusal is about
};

/// The one place where an ErrorCode becomes a status. kExists is 412: only If-None-Match asks for
/// create-only. kNameTooLong is 400, since one part of the target is wrong, not its length. kReadOnly is 503:
/// a remount mends it.
Problem problem_of(const Error& error);

/// application/problem+json: type ("urn:forklift:problem:name-reserved"), title, status, detail, and
/// `request_id` as "instance" where it is not empty; one line, with its end.
std::string problem_json(const Problem& problem, std::string_view request_id);

/// "Not Found"; "Unknown" for what this server never sends.
std::string_view reason_phrase(int status);

}  // namespace forklift
