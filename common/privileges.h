#pragma once

#include <string>

#include "common/result.h"

namespace forklift {

/// Becomes `user` (name or number) and `group` (name or number; empty: the user's own) for good: real,
/// effective and saved ids, and the supplementary groups of the user or none. Tries that there is no way
/// back. Both empty: does nothing. Someone who is not root may only name himself. The error is a sentence.
/// Call before any thread exists, after the sockets are bound.
Result<void, std::string> drop_privileges(const std::string& user, const std::string& group);

/// Whether drop_privileges would find these, and this process may become them: changes nothing.
Result<void, std::string> can_drop_privileges(const std::string& user, const std::string& group);

}  // namespace forklift
