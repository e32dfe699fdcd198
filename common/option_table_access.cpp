#include <sys/stat.h>

#include <algorithm>

#include "common/listener.h"
#include "common/option_table.h"
#include "common/option_values.h"

namespace forklift {
namespace {

std::optional<std::int64_t> choice_index(const Option& option, const std::string& value) {
  const std::vector<std::string> choices = split(option.value, '|');
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found == choices.end()) return std::nullopt;
  return found - choices.begin();
}

/// The number a value stands for; nothing when it stands for none. Range not looked at.
std::optional<std::int64_t> parse_number(const Option& option, const std::string& value) {
  switch (option.kind) {
    case ValueKind::kWorkers:
    case ValueKind::kCount:
      return parse_count(value);
    case ValueKind::kOctal:
      return parse_octal(value);
    case ValueKind::kSize:
      return parse_size(value);
    case ValueKind::kDuration:
      return parse_duration_ms(value);
    case ValueKind::kChoice:
      return choice_index(option, value);
    default:
      return std::nullopt;
  }
}

std::string format_number(const Option& option, std::int64_t number) {
  switch (option.kind) {
    case ValueKind::kWorkers:
      return number == 0 ? "auto" : std::to_string(number);
    case ValueKind::kOctal:
      return format_octal(number);
    case ValueKind::kSize:
      return format_size(number);
    case ValueKind::kDuration:
      return format_duration_ms(number);
    case ValueKind::kChoice:
      return split(option.value, '|').at(static_cast<std::size_t>(number));
    default:
      return std::to_string(number);
  }
}

bool has_control_character(const std::string& value) {
  return std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_regular_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_allowed(const Option& option, const std::string& value) {
  if (has_control_character(value)) return false;
  switch (option.kind) {
    case ValueKind::kText:
      return true;
    case ValueKind::kPath:
      return !value.empty();
    case ValueKind::kExistingFile:
      return value.empty() || is_regular_file(value);
    case ValueKind::kAddress:
      return parse_address(value).ok();
    case ValueKind::kChoice:
      return choice_index(option, value).has_value();
    case ValueKind::kWorkers:
      if (value == "auto") return true;
      break;
    default:
      break;
  }
  const auto number = parse_number(option, value);
  return number && *number >= option.range.min && *number <= option.range.max;
}

std::string range_text(const Option& option) {
  return "from " + format_number(option, option.range.min) + " to " + format_number(option, option.range.max);
}

std::string choices_text(const Option& option) {
  const std::vector<std::string> choices = split(option.value, '|');
  std::string text = choices.front();
  for (std::size_t i = 1; i < choices.size(); ++i) {
    text += (i + 1 == choices.size() ? " or " : ", ") + choices[i];
  }
  return text;
}

}  // namespace

std::vector<std::string> spellings_of(const Option& option) {
  std::vector<std::string> spellings;
  for (const std::string& flag : split(option.flags, ',')) {
    if (flag.starts_with("--")) spellings.push_back(flag.substr(2));
  }
  return spellings;
}

std::string name_of(const Option& option) { return spellings_of(option).front(); }

const Option* find_option(std::string_view spelling) {
  for (const Option& option : option_table()) {
    for (const std::string& candidate : spellings_of(option)) {
      if (candidate == spelling) return &option;
    }
  }
  return nullptr;
}

bool is_list(const Option& option) { return std::holds_alternative<ListField>(option.field); }
bool is_shorthand(const Option& option) { return std::holds_alternative<Shorthand>(option.field); }

std::string allowed_values(const Option& option) {
  switch (option.kind) {
    case ValueKind::kWorkers:
      return "auto or a number " + range_text(option);
    case ValueKind::kCount:
      return "a number " + range_text(option);
    case ValueKind::kOctal:
      return "an octal number " + range_text(option);
    case ValueKind::kSize:
      return "a size " + range_text(option) + ", such as 64M or 8MiB";
    case ValueKind::kDuration:
      return "a duration " + range_text(option) + ", such as 30s, 500ms or 5m";
    case ValueKind::kChoice:
      return choices_text(option);
    case ValueKind::kText:
      return "text without control characters";
    case ValueKind::kPath:
      return "text without control characters, not empty";
    case ValueKind::kExistingFile:
      return "the path of a file that exists";
    case ValueKind::kAddress:
      return "HOST:PORT, [::]:PORT or unix:PATH";
  }
  return "";
}

std::optional<std::string> problem_with(const Option& option, const std::string& value) {
  if (is_allowed(option, value)) return std::nullopt;
  std::string problem = "'" + value + "' is not valid; allowed: " + allowed_values(option);
  // A host with a typo deserves more than the grammar.
  if (option.kind == ValueKind::kAddress) {
    const auto address = parse_address(value);
    if (!address) problem += " (" + address.error() + ")";
  }
  return problem;
}

void assign(const Option& option, Config& config, const std::vector<std::string>& values) {
  if (const auto* number = std::get_if<NumberField>(&option.field)) {
    number->set(config, parse_number(option, values.back()).value_or(0));
  } else if (const auto* text = std::get_if<TextField>(&option.field)) {
    config.*(*text) = values.back();
  } else if (const auto* list = std::get_if<ListField>(&option.field)) {
    config.*(*list) = values;
  }
}

std::vector<std::string> values_of(const Option& option, const Config& config) {
  if (const auto* number = std::get_if<NumberField>(&option.field)) {
    return {format_number(option, number->get(config))};
  }
  if (const auto* text = std::get_if<TextField>(&option.field)) return {config.*(*text)};
  if (const auto* list = std::get_if<ListField>(&option.field)) return config.*(*list);
  return {};
}

}  // namespace forklift
