#pragma once

#include <cerrno>
#include <string>

#include "common/result.h"

namespace forklift {

/// The one place where errno becomes an ErrorCode (errno(3)).
ErrorCode code_of_errno(int os_error);

/// The Error of a system call that just failed. `operation` must be a string literal.
Error errno_error(const char* operation, int os_error = errno);

/// For the log: "openat: Permission denied"; with the limit, where there is one, in its place.
std::string sentence_of(const Error& error);

}  // namespace forklift
