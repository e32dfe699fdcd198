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
};

/// The one place where an ErrorCode becomes a status. `detail` says what was being done ("storing the upload").
Problem problem_of(const Error& error);

/// application/problem+json. `request_id` goes in as "instance".
std::string problem_json(const Problem& problem, std::string_view request_id);

/// "Not Found"; "Unknown" for what this server never sends.
std::string_view reason_phrase(int status);

}  // namespace forklift
