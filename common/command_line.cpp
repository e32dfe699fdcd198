#include <CLI/CLI.hpp>
#include <array>

#include "common/option_layers.h"
#include "common/option_values.h"

namespace forklift {
namespace {

constexpr std::array kCommands{
    Command{"-c,--config", "FILE", "Read options from this TOML file. Also FORKLIFT_CONFIG"},
    Command{"--check-config", nullptr, "Say whether the configuration is sound, and exit"},
    Command{"--print-config", nullptr, "Print every option with where it came from, and exit"},
    Command{"--list-strategies", nullptr,
            "Of worker: print every way a file can be written and sent, and which work in --root, and exit"},
    Command{"-v,--version", nullptr, "Print the version, and exit"},
    Command{"-h,--help", nullptr, "Print this help, and exit"},
};

std::string default_text(const Option& option) {
  if (is_shorthand(option)) return "";
  std::string text;
  for (const std::string& value : values_of(option, Config{})) text += (text.empty() ? "" : ", ") + value;
  return text.empty() ? "" : " [" + text + "]";
}

void add_options(CLI::App& app) {
  app.set_help_flag();
  app.allow_extras();
  for (const Option& option : option_table()) {
    app.add_option(option.flags)
        ->group(to_string(option.group))
        ->description(option.help + default_text(option))
        ->type_name(option.value)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  for (const Command& command : kCommands) {
    CLI::Option* added =
        command.value == nullptr ? app.add_flag(command.flags) : app.add_option(command.flags);
    added->group("Commands")->description(command.help);
    if (command.value != nullptr) {
      added->type_name(command.value)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }
}

std::vector<std::string> all_flags() {
  std::vector<std::string> flags;
  for (const Option& option : option_table()) {
    for (const std::string& spelling : spellings_of(option)) flags.push_back("--" + spelling);
  }
  for (const Command& command : kCommands) {
    for (const std::string& flag : split(command.flags, ',')) {
      if (flag.starts_with("--")) flags.push_back(flag);
    }
  }
  return flags;
}

ConfigError unexpected(const std::string& argument) {
  if (!argument.starts_with("-") || argument.size() < 2) return {"unexpected argument '" + argument + "'"};
  const std::string flag = argument.substr(0, argument.find('='));
  return {"unknown option '" + flag + "'" + suggestion(flag, all_flags())};
}

/// CLI11 takes its arguments last first, and reads "--pid=" as if a value followed.
std::vector<std::string> for_cli11(std::span<const std::string> arguments) {
  std::vector<std::string> reversed;
  for (auto argument = arguments.rbegin(); argument != arguments.rend(); ++argument) {
    if (argument->starts_with("--") && argument->find('=') == argument->size() - 1) {
      reversed.emplace_back();
      reversed.push_back(argument->substr(0, argument->size() - 1));
    } else {
      reversed.push_back(*argument);
    }
  }
  return reversed;
}

CommandLine collect(const CLI::App& app) {
  CommandLine line;
  line.help = app.count("--help") > 0;
  line.version = app.count("--version") > 0;
  line.check_config = app.count("--check-config") > 0;
  line.print_config = app.count("--print-config") > 0;
  line.list_strategies = app.count("--list-strategies") > 0;
  if (app.count("--config") > 0) line.config_file = app.get_option("--config")->results().back();
  for (const Option& option : option_table()) {
    const CLI::Option* given = app.get_option("--" + name_of(option));
    if (given->count() > 0) line.layer.push_back({&option, given->results(), "command line"});
  }
  return line;
}

const char* description(Program program) {
  if (program == Program::kMaster) {
    return "Takes files in and gives files out, from one worker process a CPU.\n"
           "Every option is also a FORKLIFT_NAME variable and a key of the --config file; the command line\n"
           "comes before the environment, the environment before the file.";
  }
  return "One worker: started by the master, or alone with the same options (those about other processes\n"
         "then mean nothing). Every option is also a FORKLIFT_NAME variable and a key of the --config file.";
}

}  // namespace

std::span<const Command> command_table() { return kCommands; }

Result<CommandLine, ConfigError> parse_command_line(std::span<const std::string> arguments) {
  try {
    CLI::App app;
    add_options(app);
    app.parse(for_cli11(arguments));
    CommandLine line = collect(app);
    const std::vector<std::string> extras = app.remaining();
    if (!extras.empty() && !line.help) return unexpected(extras.front());
    return line;
  } catch (const CLI::ParseError& error) {
    return ConfigError{error.what()};
  }
}

std::string help_text(Program program) {
  CLI::App app(description(program), program == Program::kMaster ? "master" : "worker");
  add_options(app);
  app.get_formatter()->column_width(36);
  return app.help();
}

}  // namespace forklift
