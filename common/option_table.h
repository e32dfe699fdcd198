#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/config.h"

namespace forklift {

/// Headings of --help and of docs/options.md, in their order.
enum class OptionGroup : std::uint8_t { kProcess, kListening, kFiles, kConnections, kLimits, kLogging };

/// How the value is written and checked.
enum class ValueKind : std::uint8_t {
  kWorkers,  // "auto" (0) or a count
  kCount,
  kOctal,
  kSize,
  kDuration,
  kChoice,        // one of the words in Option::value
  kText,          // may be empty: none
  kPath,          // may not be empty
  kExistingFile,  // a regular file, or empty: none
  kAddress,       // as parse_address (common/listener.h)
};

/// Where in the Config the value lives. A shorthand has no place of its own: it becomes a --bind.
struct NumberField {
  std::int64_t (*get)(const Config&);
  void (*set)(Config&, std::int64_t);
};
using TextField = std::string Config::*;
using ListField = std::vector<std::string> Config::*;
struct Shorthand {};
using Field = std::variant<NumberField, TextField, ListField, Shorthand>;

/// Smallest and largest value, of kinds that are numbers (durations in milliseconds).
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

/// One setting: a row of the one table behind the command line, the environment, the file, --help,
/// --print-config and docs/options.md. Plain data, constant, lives as long as the program.
struct Option {
  const char* flags;  // "-t,--timeout,--other-spelling": the first long one is its name
  OptionGroup group;
  ValueKind kind;
  const char* value;  // what stands for the value in --help; of a choice: "one|or|another"
  Field field;
  Range range;
  const char* help;
};

std::span<const Option> option_table();
const char* to_string(OptionGroup group);

/// Without the dashes.
std::string name_of(const Option& option);
/// All long spellings without the dashes, the name first.
std::vector<std::string> spellings_of(const Option& option);

/// By a long spelling, without the dashes; null when there is none.
const Option* find_option(std::string_view spelling);

bool is_list(const Option& option);
bool is_shorthand(const Option& option);

/// What a value may be: "a number from 1 to 1024".
std::string allowed_values(const Option& option);

/// Why this value can't be had, as a clause that names it and what is allowed; nothing when it can.
std::optional<std::string> problem_with(const Option& option, const std::string& value);

/// Stores values that have no problem: all of a list, the last of anything else.
void assign(const Option& option, Config& config, const std::vector<std::string>& values);

/// The reverse, one text for each value; none for a shorthand.
std::vector<std::string> values_of(const Option& option, const Config& config);

}  // namespace forklift
