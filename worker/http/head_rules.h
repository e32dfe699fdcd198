#pragma once

#include <optional>

#include "worker/http/problem.h"
#include "worker/http/request_head.h"

namespace forklift {

/// Judges a head whose lines are sound: splits the target (RFC 9112, 3.2), settles framing (6), Host (3.2.2),
/// Connection (9.3) and Expect (RFC 9110, 10.1.1), and fills the rest of `head`. Takes method, target,
/// version and fields as given. Pure.
std::optional<Problem> judge_head(RequestHead& head);

}  // namespace forklift
