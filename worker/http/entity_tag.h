#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace forklift {

/// One entity tag (RFC 9110, 8.8.3), a view on the field it was read from: "xyzzy" or W/"xyzzy".
struct EntityTag {
  std::string_view opaque;  // with its quotes
  bool weak = false;
};

/// Both strong, and the same byte for byte (8.8.3.2).
bool match_strongly(const EntityTag& left, const EntityTag& right);

/// The same byte for byte.
bool match_weakly(const EntityTag& left, const EntityTag& right);

/// What If-Match and If-None-Match say: "*" or a list (13.1.1).
struct EntityTagList {
  bool any = false;
  std::vector<EntityTag> tags;
};

/// Exactly one tag. Between the quotes may stand any byte but a quote, white space or a control character;
/// a backslash means itself.
std::optional<EntityTag> parse_entity_tag(std::string_view text);

/// "*" alone, or tags between commas; empty elements are skipped (5.6.1.2), so the list may be empty. None
/// where it is neither. Views are on `value`.
std::optional<EntityTagList> parse_entity_tags(std::string_view value);

}  // namespace forklift
