#pragma once

#include <optional>
#include <string_view>

#include "common/config.h"

namespace forklift {

/// What the value of Prefer (RFC 7240), all its fields joined by commas, asks for by
/// durability=none|data|full. None where it does not, or in other words; the first of several counts (section
/// 2). Pure, linear.
std::optional<Durability> preferred_durability(std::string_view prefer);

/// How far an upload goes: what Prefer asks for, but never less than `least` (--durability) and never more
/// than `most` (--durability-max), unless that is less than `least`.
Durability durability_of(std::string_view prefer, Durability least, Durability most);

/// The value of Preference-Applied for an upload that went as far as `done`: nothing to say (empty) where
/// Prefer did not ask, or was given less. A literal.
std::string_view preference_applied(std::string_view prefer, Durability done);

}  // namespace forklift
