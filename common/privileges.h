#pragma once

#include <sys/types.h>

#include <string>

#include "common/result.h"

namespace forklift {

/// Becomes `user` (name or number) and `group` (name or number; empty: the user's own) for good: real,
/// effective and saved ids, and the supplementary groups of the user or none. Tries that there is no way
/// back. Both empty: does nothing. Someone who is not root may only name himself. The error is a sentence.
/// Call before any thread exists, after the sockets are bound.
Result<void, std::string> drop_privileges(const std::string& user, const std::string& group);

/// As chown(2) takes it: whoever is not named stays as it is.
struct Owner {
  uid_t user = static_cast<uid_t>(-1);
  gid_t group = static_cast<gid_t>(-1);
};

/// Whom drop_privileges would make of this process; the error is why it could not. Changes nothing.
Result<Owner, std::string> owner_of(const std::string& user, const std::string& group);

}  // namespace forklift
