#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/option_table.h"
#include "common/options.h"

namespace forklift {

/// What one source says about one option. Lives while a Config is put together.
struct Assignment {
  const Option* option;
  std::vector<std::string>
      values;          // more than one only of an option that may be repeated, or the last counts
  std::string origin;  // "command line", "FORKLIFT_ROOT", "forklift.toml:3"
};

/// Everything one source says. Later entries for the same option win.
using Layer = std::vector<Assignment>;

/// An option that is not a setting: it says what to do, or where settings are.
struct Command {
  const char* flags;
  const char* value;  // null: takes none
  const char* help;
};
std::span<const Command> command_table();

/// The command line, split into settings and the rest.
struct CommandLine {
  bool help = false;
  bool version = false;
  bool check_config = false;
  bool print_config = false;
  bool list_strategies = false;
  std::optional<std::string> config_file;
  Layer layer;
};

/// Without the program's name. The error is about its form: unknown option, missing value.
Result<CommandLine, ConfigError> parse_command_line(std::span<const std::string> arguments);
std::string help_text(Program program);

/// The environment, with the config file it may name.
struct Environment {
  std::optional<std::string> config_file;
  Layer layer;
};

/// "NAME=VALUE" each. Blank values count as unset, as with gunicorn.
Result<Environment, ConfigError> read_environment(std::span<const std::string> environment);
std::string variable_of(const std::string& spelling);

/// A TOML 1.0 file of `option = value` lines.
Result<Layer, ConfigError> read_config_file(const std::string& path);

/// ", did you mean 'x'?" or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// The error of a layer in which one option is set twice in different spellings.
std::optional<ConfigError> repeated_option(const Layer& layer);

}  // namespace forklift
