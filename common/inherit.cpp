#include "common/inherit.h"

#include <charconv>

namespace forklift {
namespace {

template <typename Number>
bool take(std::string_view& text, std::string_view key, Number& number) {
  if (!text.starts_with(key)) return false;
  text.remove_prefix(key.size());
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
  return true;
}

}  // namespace

std::string format_inheritance(const Inheritance& inheritance) {
  return "slot=" + std::to_string(inheritance.slot) +
         " generation=" + std::to_string(inheritance.generation) +
         " listeners=" + std::to_string(inheritance.listener_count) +
         " region=" + std::to_string(inheritance.region);
}

std::optional<Inheritance> parse_inheritance(std::string_view text) {
  Inheritance found;
  const bool complete = take(text, "slot=", found.slot) && take(text, " generation=", found.generation) &&
                        take(text, " listeners=", found.listener_count) &&
                        take(text, " region=", found.region) && text.empty();
  if (!complete || found.slot < 0 || found.listener_count < 1 || found.region < 0) return std::nullopt;
  return found;
}

}  // namespace forklift
