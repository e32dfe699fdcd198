#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// The other implementation of worker/storage/file_ops.h, for test programs that link fault_file_ops in its
/// place: it makes the same system calls, records them, and fails those it is told to. Operations are named
/// as the functions of file_ops are. One state a program, thread-safe; every test begins with reset().
namespace forklift::faults {

/// Forgets every fault and every call.
void reset();

/// The `nth` call (from 1, counted from now) of `operation` fails with `os_error` and does nothing.
void fail(std::string_view operation, int os_error, int nth = 1);

/// Every call of `operation` from now on fails with `os_error`.
void fail_always(std::string_view operation, int os_error);

/// Writes and sends move at most that many bytes a call; 0: as many as the system likes.
void limit_transfers(std::size_t bytes_max);

/// From now until reset(): runs before every call of any operation that is not made within it, and once more
/// after a stat_disk, as "looked". Any thread; one at a time where they are of one thread.
void watch(std::function<void(std::string_view operation)> watcher);

/// The operations since reset() or forget_calls(), in order, those that failed included.
std::vector<std::string> calls();
void forget_calls();

/// How often `operation` was called since then.
std::size_t count(std::string_view operation);

}  // namespace forklift::faults
