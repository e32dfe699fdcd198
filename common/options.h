#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.h"
#include "common/result.h"

namespace forklift {

enum class Program : std::uint8_t { kMaster, kWorker };

/// A setting that can't be had. One or more sentences for the operator, without a line end.
struct ConfigError {
  std::string message;
};

/// A Config and where each of its values came from.
struct LoadedConfig {
  Config config;
  std::vector<std::string> origins;  // one for each row of option_table(), in its order
  std::string config_file;           // empty: none was read
};

/// Command line over FORKLIFT_* environment over TOML file over default; all of them are checked, also where
/// a higher one wins. Reads the file, sees whether --sample exists, counts CPUs; changes nothing. The master
/// calls it again on SIGHUP. `arguments` without the program's name, `environment` as "NAME=VALUE".
Result<LoadedConfig, ConfigError> load_config(std::span<const std::string> arguments,
                                              std::span<const std::string> environment);

/// What main does first. Not `run`: write out and err, and exit with the code.
struct CommandLineOutcome {
  bool run = false;
  bool list_strategies = false;  // `run`, but only to print them: the worker's main
  bool check_config = false;     // `run`, but only to say whether a worker could: the worker's main
  int exit_code = 0;
  std::string out;
  std::string err;
  LoadedConfig loaded;  // when run
};

/// load_config, and --help, --version, --print-config. What can't be read exits 2, or 1 of --check-config.
CommandLineOutcome interpret_command_line(std::span<const std::string> arguments,
                                          std::span<const std::string> environment, Program program);

/// What main was given, as the functions above want it.
std::vector<std::string> arguments_of(int argc, const char* const* argv);
std::vector<std::string> environment_of(const char* const* environ);

/// The command line that yields this Config again whatever the environment of ours says: every option, each
/// spelled out. Made for the workers of a master.
std::vector<std::string> to_arguments(const Config& config);

/// Whether an environment variable is a setting of ours or reserved for us (FORKLIFT_…). A master keeps
/// these from its workers, and hands over FORKLIFT_INHERIT itself (common/inherit.h).
bool is_our_variable(std::string_view name);

/// Every value with its origin, as a TOML file that yields them again.
std::string config_text(const LoadedConfig& loaded);

/// docs/options.md.
std::string options_markdown();

}  // namespace forklift
