#pragma once

#include <string>

#include "common/result.h"

namespace forklift {

/// What `worker --list-strategies` prints: every strategy with what it does, how durable its files are,
/// whether it sees the bytes, and whether it works over this root on this kernel (it is asked now). A root
/// that does not exist is not made: a passing directory beside where it would lie is asked instead.
Result<std::string> strategy_list(const std::string& root);

}  // namespace forklift
