#include "common/inherit.h"
#include "common/option_layers.h"
#include "common/option_values.h"

namespace forklift {
namespace {

constexpr std::string_view kPrefix = "FORKLIFT_";
constexpr std::string_view kConfigVariable = "FORKLIFT_CONFIG";
constexpr std::string_view kWorkersVariable = "WEB_CONCURRENCY";

const Option* option_of(std::string_view variable) {
  for (const Option& option : option_table()) {
    for (const std::string& spelling : spellings_of(option)) {
      if (variable_of(spelling) == variable) return &option;
    }
  }
  return nullptr;
}

std::vector<std::string> all_variables() {
  std::vector<std::string> variables{std::string(kConfigVariable)};
  for (const Option& option : option_table()) {
    for (const std::string& spelling : spellings_of(option)) variables.push_back(variable_of(spelling));
  }
  return variables;
}

bool is_blank(std::string_view value) { return value.find_first_not_of(" \t") == std::string_view::npos; }

Assignment assignment_of(const Option& option, const std::string& variable, const std::string& value) {
  return {&option, is_list(option) ? split(value, ',') : std::vector<std::string>{value}, variable};
}

std::optional<ConfigError> read_variable(Environment& result, const std::string& variable,
                                         const std::string& value) {
  if (!is_our_variable(variable) || variable == kInheritVariable) return std::nullopt;
  const Option* option = option_of(variable);
  if (option == nullptr && variable != kConfigVariable) {
    return ConfigError{"unknown environment variable '" + variable + "'" +
                       suggestion(variable, all_variables())};
  }
  if (is_blank(value)) return std::nullopt;
  if (option == nullptr) {
    result.config_file = value;
  } else {
    result.layer.push_back(assignment_of(*option, variable, value));
  }
  return std::nullopt;
}

}  // namespace

bool is_our_variable(std::string_view name) { return name.starts_with(kPrefix); }

std::string variable_of(const std::string& spelling) {
  std::string variable(kPrefix);
  for (const char c : spelling) {
    variable += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return variable;
}

Result<Environment, ConfigError> read_environment(std::span<const std::string> environment) {
  Environment result;
  std::optional<Assignment> concurrency;
  for (const std::string& entry : environment) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) continue;
    const std::string variable = entry.substr(0, equals);
    const std::string value = entry.substr(equals + 1);
    if (variable == kWorkersVariable && !is_blank(value)) {
      concurrency = assignment_of(*find_option("workers"), variable, value);
    }
    if (auto problem = read_variable(result, variable, value)) return *problem;
  }
  if (const auto repeated = repeated_option(result.layer)) return *repeated;
  // Below our own variable, above the file.
  if (concurrency) result.layer.insert(result.layer.begin(), *concurrency);
  return result;
}

}  // namespace forklift
