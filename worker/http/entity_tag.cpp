#include "worker/http/entity_tag.h"

#include <algorithm>

namespace forklift {
namespace {

void skip_white(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
}

bool is_tag_byte(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value > ' ' && value != '"' && value != 0x7f;
}

/// From the front of `rest`.
std::optional<EntityTag> take_tag(std::string_view& rest) {
  EntityTag tag;
  tag.weak = rest.substr(0, 2) == "W/";
  const std::string_view quoted = rest.substr(tag.weak ? 2 : 0);
  if (quoted.substr(0, 1) != "\"") return std::nullopt;
  std::size_t end = 1;
  while (end < quoted.size() && is_tag_byte(quoted[end])) ++end;
  if (end == quoted.size() || quoted[end] != '"') return std::nullopt;
  tag.opaque = quoted.substr(0, end + 1);
  rest = quoted.substr(end + 1);
  return tag;
}

}  // namespace

bool match_strongly(const EntityTag& left, const EntityTag& right) {
  return !left.weak && !right.weak && left.opaque == right.opaque;
}

bool match_weakly(const EntityTag& left, const EntityTag& right) { return left.opaque == right.opaque; }

std::optional<EntityTag> parse_entity_tag(std::string_view text) {
  const auto tag = take_tag(text);
  return text.empty() ? tag : std::nullopt;
}

std::optional<EntityTagList> parse_entity_tags(std::string_view value) {
  EntityTagList list;
  if (value == "*") {
    list.any = true;
    return list;
  }
  for (skip_white(value); !value.empty(); skip_white(value)) {
    if (value.front() != ',') {
      const auto tag = take_tag(value);
      if (!tag) return std::nullopt;
      list.tags.push_back(*tag);
      skip_white(value);
      if (value.empty()) break;
    }
    if (value.front() != ',') return std::nullopt;
    value.remove_prefix(1);
  }
  return list;
}

}  // namespace forklift
