#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "worker/http/request_head.h"

namespace forklift {

/// The value of a field that may be sent in several lines: those in order, between ", " (RFC 9110, 5.3). None
/// where there is no such field; an empty one is a value. Where a field takes one value only, two lines make
/// one that its parser refuses.
std::optional<std::string> joined_field(const RequestHead& head, std::string_view name);

}  // namespace forklift
