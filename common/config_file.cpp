#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "common/option_layers.h"
#include "common/option_values.h"

namespace forklift {
namespace {

std::string place_of(const std::string& path, const toml::source_region& source) {
  return path + ":" + std::to_string(source.begin.line);
}

/// As it would be written on the command line. 0o027 stays octal.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) {
    const bool octal = (number->flags() & toml::value_flags::format_as_octal) != toml::value_flags::none;
    return octal ? format_octal(number->get()) : std::to_string(number->get());
  }
  if (const auto* number = node.as_floating_point()) {
    std::array<char, 512> digits{};
    const auto [end, failure] =
        std::to_chars(digits.data(), digits.data() + digits.size(), number->get(), std::chars_format::fixed);
    if (failure == std::errc()) return std::string(digits.data(), end);
  }
  return std::nullopt;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const Option& option : option_table()) {
    for (const std::string& spelling : spellings_of(option)) names.push_back(spelling);
  }
  return names;
}

Result<std::vector<std::string>, ConfigError> values_in(const Option& option, const toml::node& node,
                                                        const std::string& origin) {
  const auto wrong = [&](const char* what) {
    return ConfigError{"--" + name_of(option) + " (from " + origin + "): " + what +
                       "; allowed: " + allowed_values(option)};
  };
  std::vector<std::string> values;
  if (const auto* list = node.as_array()) {
    if (!is_list(option)) return wrong("takes one value, not a list");
    if (list->empty()) return wrong("the list is empty");
    for (const toml::node& element : *list) {
      const auto text = text_of(element);
      if (!text) return wrong("neither text nor a number");
      values.push_back(*text);
    }
    return values;
  }
  const auto text = text_of(node);
  if (!text) return wrong("neither text nor a number");
  return std::vector<std::string>{*text};
}

Result<Layer, ConfigError> layer_of(const toml::table& table, const std::string& path) {
  Layer layer;
  for (const auto& [key, node] : table) {
    const std::string origin = place_of(path, key.source());
    std::string name(key.str());
    std::replace(name.begin(), name.end(), '_', '-');
    const Option* option = find_option(name);
    if (option == nullptr) {
      return ConfigError{origin + ": unknown key '" + std::string(key.str()) + "'" +
                         suggestion(name, all_names())};
    }
    auto values = values_in(*option, node, origin);
    if (!values) return values.error();
    layer.push_back({option, *std::move(values), origin});
  }
  return layer;
}

Result<std::string, ConfigError> contents_of(const std::string& path) {
  // Whoever opens a pipe waits for its other end, and what it said is gone at the next reload.
  std::error_code unreadable;
  if (std::filesystem::is_fifo(path, unreadable)) {
    return ConfigError{"--config: '" + path +
                       "' is a pipe; a configuration is read anew at every reload: name a file"};
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // A directory opens, and fails only when read.
  if (!file || !(text << file.rdbuf()).good()) {
    if (file && file.peek() == std::ifstream::traits_type::eof() && !file.bad()) return std::string();
    return ConfigError{"--config: '" + path + "' can't be read: " + std::generic_category().message(errno)};
  }
  return text.str();
}

}  // namespace

Result<Layer, ConfigError> read_config_file(const std::string& path) {
  const auto text = contents_of(path);
  if (!text) return text.error();
  const toml::parse_result parsed = toml::parse(*text, std::string_view(path));
  if (!parsed) {
    return ConfigError{place_of(path, parsed.error().source()) + ": " +
                       std::string(parsed.error().description())};
  }
  auto layer = layer_of(parsed.table(), path);
  if (!layer) return layer;
  if (const auto repeated = repeated_option(*layer)) return *repeated;
  return layer;
}

}  // namespace forklift
