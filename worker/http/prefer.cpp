#include "worker/http/prefer.h"

#include <algorithm>
#include <cstddef>

#include "common/ascii.h"

namespace forklift {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// The first `separator` that no quotes enclose, or the end.
std::size_t find_unquoted(std::string_view text, char separator) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == separator) {
      return i;
    }
  }
  return text.size();
}

std::string_view unquoted(std::string_view word) {
  if (word.size() < 2 || word.front() != '"' || word.back() != '"') return word;
  return word.substr(1, word.size() - 2);
}

std::optional<Durability> durability_named(std::string_view word) {
  for (const Durability durability : {Durability::kNone, Durability::kData, Durability::kFull}) {
    if (word == to_string(durability)) return durability;
  }
  return {};
}

}  // namespace

std::optional<Durability> preferred_durability(std::string_view prefer) {
  while (!prefer.empty()) {
    const std::size_t end = find_unquoted(prefer, ',');
    const std::string_view item = prefer.substr(0, end);
    const std::string_view preference = item.substr(0, find_unquoted(item, ';'));
    const std::size_t equals = std::min(preference.find('='), preference.size());
    if (equal_ignoring_case(trimmed(preference.substr(0, equals)), "durability")) {
      const std::size_t value = std::min(equals + 1, preference.size());
      return durability_named(unquoted(trimmed(preference.substr(value))));
    }
    prefer.remove_prefix(std::min(end + 1, prefer.size()));
  }
  return {};
}

Durability durability_of(std::string_view prefer, Durability least, Durability most) {
  const Durability wanted = preferred_durability(prefer).value_or(least);
  return std::max(least, std::min(wanted, most));
}

std::string_view preference_applied(std::string_view prefer, Durability done) {
  const auto wanted = preferred_durability(prefer);
  if (!wanted || *wanted > done) return {};
  switch (*wanted) {
    case Durability::kNone:
      return done == Durability::kNone ? "durability=none" : "";
    case Durability::kData:
      return "durability=data";
    case Durability::kFull:
      return "durability=full";
  }
  return {};
}

}  // namespace forklift
