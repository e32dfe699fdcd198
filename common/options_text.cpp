#include "common/option_layers.h"
#include "common/option_values.h"

namespace forklift {
namespace {

std::string toml_string(const std::string& value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

bool is_plain_number(const Option& option, const std::string& value) {
  return (option.kind == ValueKind::kCount || option.kind == ValueKind::kWorkers) && parse_count(value);
}

std::string toml_value(const Option& option, const std::vector<std::string>& values) {
  if (!is_list(option)) {
    return is_plain_number(option, values.front()) ? values.front() : toml_string(values.front());
  }
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + toml_string(value);
  return "[" + list + "]";
}

/// In a table cell "|" ends the cell.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string flags_cell(const char* flags, const char* value) {
  std::string text;
  for (const std::string& flag : split(flags, ',')) text += (text.empty() ? "`" : ", `") + flag + "`";
  return value == nullptr ? text : text + " " + cell(value);
}

std::string default_cell(const Option& option) {
  if (is_shorthand(option)) return "";
  std::string text;
  for (const std::string& value : values_of(option, Config{})) {
    if (!value.empty()) text += (text.empty() ? "`" : ", `") + value + "`";
  }
  return text.empty() ? "none" : text;
}

std::string row(const Option& option) {
  return "| " + flags_cell(option.flags, option.value) + " | " + default_cell(option) + " | " +
         cell(allowed_values(option)) + " | " + cell(option.help) + " |\n";
}

constexpr const char* kIntroduction = R"(# Options

<!-- Written by `test_common "[docs]"` from common/option_table.cpp; edit that. -->

`master` and `worker` take the same options, so that a worker can be run alone with the command line of a master.

The command line comes before the environment, the environment before the file, the file before the default;
on the command line the last one wins.

- **Environment**: `FORKLIFT_` and the name in capitals with `_` for `-`, such as `FORKLIFT_KEEP_ALIVE=5s`; several
  addresses in `FORKLIFT_BIND` are separated by commas. A blank variable counts as unset. `WEB_CONCURRENCY` gives the
  number of workers where `FORKLIFT_WORKERS` doesn't.
- **File** (`--config`, TOML): `keep-alive = "5s"` or `keep_alive = 5`, `bind = ["127.0.0.1:8000", "unix:/run/x.sock"]`.
- **Sizes** are bytes: `65536`, `64K`, `64M`, `8MiB`, `1G` (powers of 1024). **Durations** are seconds: `30`, `0.5`, or with a
  unit: `500ms`, `30s`, `5m`, `1h`, `1d`.
- Addresses of one source add up and replace those of the sources below it.
- An option, variable or key that doesn't exist is an error, and so is a bad value, even where another source wins.
  Errors exit with 2; what `--check-config` finds in a value with 1.
- `--print-config` prints a file that yields the same configuration, with the origin of each value.
)";

std::string group_table(OptionGroup group) {
  std::string text = "\n## " + std::string(to_string(group)) +
                     "\n\n| option | default | allowed | meaning |\n|---|---|---|---|\n";
  for (const Option& option : option_table()) {
    if (option.group == group) text += row(option);
  }
  return text;
}

}  // namespace

std::string config_text(const LoadedConfig& loaded) {
  std::string text;
  const Option* previous = nullptr;
  for (std::size_t i = 0; i < option_table().size(); ++i) {
    const Option& option = option_table()[i];
    if (is_shorthand(option)) continue;
    if (previous == nullptr || previous->group != option.group) {
      text += std::string(previous == nullptr ? "" : "\n") + "# " + to_string(option.group) + "\n";
    }
    previous = &option;
    text += name_of(option) + " = " + toml_value(option, values_of(option, loaded.config)) + "  # " +
            loaded.origins.at(i) + "\n";
  }
  return text;
}

std::string options_markdown() {
  std::string text = kIntroduction;
  for (int group = 0; group <= static_cast<int>(OptionGroup::kLogging); ++group) {
    text += group_table(static_cast<OptionGroup>(group));
  }
  text += "\n## Commands\n\n| option | meaning |\n|---|---|\n";
  for (const Command& command : command_table()) {
    text += "| " + flags_cell(command.flags, command.value) + " | " + cell(command.help) + " |\n";
  }
  return text;
}

}  // namespace forklift
