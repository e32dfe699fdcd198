#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forklift {

/// The value of the first `key` in a query ("a=1&name=b%20c"), with every '+' made "%20" but otherwise still
/// percent-encoded, so that it is decoded once, by whoever checks it. Keys are compared decoded. A key
/// without '=' has an empty value.
std::optional<std::string> query_value(std::string_view query, std::string_view key);

/// Does a query have these keys alone, each once at most? Pieces between two '&' that are empty count for
/// nothing.
bool has_only(std::string_view query, std::span<const std::string_view> keys);

}  // namespace forklift
