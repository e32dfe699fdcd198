#include "common/options.h"

#include "common/cpu_count.h"
#include "common/option_layers.h"
#include "common/option_values.h"

namespace forklift {
namespace {

/// Puts layers on top of each other, the lowest first. Lives for one load_config.
class Layering {
 public:
  Layering() { loaded_.origins.assign(option_table().size(), "default"); }

  std::optional<ConfigError> put(const Layer& layer) {
    Addresses addresses;
    for (const Assignment& assignment : layer) {
      if (auto problem = check(assignment)) return problem;
      if (is_shorthand(*assignment.option)) {
        put_shorthand(assignment, addresses);
      } else if (is_list(*assignment.option)) {
        for (const std::string& value : assignment.values) addresses.add(value, assignment.origin);
      } else {
        store(*assignment.option, assignment.values, assignment.origin);
      }
    }
    return put_addresses(addresses);
  }

  LoadedConfig finish() && {
    if (loaded_.config.workers == 0) {
      loaded_.config.workers = usable_cpus();
      origin_of(*find_option("workers")) += ", auto";
    }
    return std::move(loaded_);
  }

 private:
  /// What one layer says about where to listen.
  struct Addresses {
    std::vector<std::string> values;
    std::string origin;
    bool host_and_port = false;

    void note(const std::string& from) {
      if (origin.find(from) == std::string::npos) origin += (origin.empty() ? "" : ", ") + from;
    }
    void add(const std::string& value, const std::string& from) {
      values.push_back(value);
      note(from);
    }
  };

  static ConfigError error_in(const Option& option, const std::string& origin, const std::string& problem) {
    return {"--" + name_of(option) + " (from " + origin + "): " + problem};
  }

  static std::optional<ConfigError> check(const Assignment& assignment) {
    for (const std::string& value : assignment.values) {
      const auto problem = problem_with(*assignment.option, value);
      if (problem) return error_in(*assignment.option, assignment.origin, *problem);
    }
    return std::nullopt;
  }

  std::string& origin_of(const Option& option) {
    return loaded_.origins[static_cast<std::size_t>(&option - option_table().data())];
  }

  void store(const Option& option, const std::vector<std::string>& values, const std::string& origin) {
    assign(option, loaded_.config, values);
    origin_of(option) = origin;
  }

  /// A layer that gives only one of host and port takes the other from the layers below it.
  void put_shorthand(const Assignment& assignment, Addresses& addresses) {
    const std::string name = name_of(*assignment.option);
    const std::string& value = assignment.values.back();
    if (name == "uds") return addresses.add("unix:" + value, assignment.origin);
    addresses.host_and_port = true;
    addresses.note(assignment.origin);
    if (name == "port") port_ = value;
    if (name == "host")
      host_ = value.find(':') == std::string::npos || value.front() == '[' ? value : "[" + value + "]";
  }

  std::optional<ConfigError> put_addresses(Addresses& addresses) {
    if (addresses.host_and_port) addresses.values.push_back(host_ + ":" + port_);
    if (addresses.values.empty()) return std::nullopt;
    const Option& bind = *find_option("bind");
    if (auto problem = check({&bind, addresses.values, addresses.origin})) return problem;
    store(bind, addresses.values, addresses.origin);
    return std::nullopt;
  }

  LoadedConfig loaded_;
  std::string host_ = "127.0.0.1";
  std::string port_ = "8000";
};

Result<LoadedConfig, ConfigError> load(const CommandLine& line, std::span<const std::string> variables) {
  const auto environment = read_environment(variables);
  if (!environment) return environment.error();
  const auto& path = line.config_file ? line.config_file : environment->config_file;
  Layering layering;
  if (path) {
    const auto file = read_config_file(*path);
    if (!file) return file.error();
    if (auto problem = layering.put(*file)) return *problem;
  }
  if (auto problem = layering.put(environment->layer)) return *problem;
  if (auto problem = layering.put(line.layer)) return *problem;
  LoadedConfig loaded = std::move(layering).finish();
  loaded.config_file = path.value_or("");
  return loaded;
}

CommandLineOutcome refused(Program program, const std::string& message, int exit_code) {
  const std::string name = program == Program::kMaster ? "master" : "worker";
  CommandLineOutcome outcome;
  outcome.exit_code = exit_code;
  outcome.err = name + ": " + message + "\n";
  if (exit_code == 2) outcome.err += "'" + name + " --help' lists the options.\n";
  return outcome;
}

CommandLineOutcome said(std::string text) {
  CommandLineOutcome outcome;
  outcome.out = std::move(text);
  return outcome;
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const auto near = closest(word, candidates);
  return near ? "; did you mean '" + *near + "'?" : "";
}

std::optional<ConfigError> repeated_option(const Layer& layer) {
  for (std::size_t i = 0; i < layer.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (layer[i].option != layer[j].option) continue;
      return ConfigError{"--" + name_of(*layer[i].option) +
                         " is set twice, in two spellings: " + layer[j].origin + " and " + layer[i].origin};
    }
  }
  return std::nullopt;
}

Result<LoadedConfig, ConfigError> load_config(std::span<const std::string> arguments,
                                              std::span<const std::string> environment) {
  const auto line = parse_command_line(arguments);
  if (!line) return line.error();
  return load(*line, environment);
}

CommandLineOutcome interpret_command_line(std::span<const std::string> arguments,
                                          std::span<const std::string> environment, Program program) {
  const auto line = parse_command_line(arguments);
  if (!line) return refused(program, line.error().message, 2);
  if (line->help) return said(help_text(program));
  if (line->list_strategies && program == Program::kMaster) {
    return refused(program, "--list-strategies is an option of the worker's: worker --list-strategies", 2);
  }
  if (line->version) return said("forklift " FORKLIFT_VERSION "\n");
  auto loaded = load(*line, environment);
  if (!loaded) return refused(program, loaded.error().message, line->check_config ? 1 : 2);
  if (line->print_config && !line->check_config) return said(config_text(*loaded));
  CommandLineOutcome outcome;
  outcome.run = true;
  outcome.list_strategies = line->list_strategies;
  outcome.check_config = line->check_config;
  outcome.loaded = *std::move(loaded);
  return outcome;
}

std::vector<std::string> arguments_of(int argc, const char* const* argv) {
  return argc > 1 ? std::vector<std::string>(argv + 1, argv + argc) : std::vector<std::string>();
}

std::vector<std::string> environment_of(const char* const* environ) {
  std::vector<std::string> environment;
  for (; *environ != nullptr; ++environ) environment.emplace_back(*environ);
  return environment;
}

std::vector<std::string> to_arguments(const Config& config) {
  std::vector<std::string> arguments;
  for (const Option& option : option_table()) {
    for (const std::string& value : values_of(option, config)) {
      arguments.push_back("--" + name_of(option));
      arguments.push_back(value);
    }
  }
  return arguments;
}

}  // namespace forklift
