#include "support/fault_file_ops.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <utility>

// The system itself, under another name: what runs when no fault is due is the code that ships.
#define file_ops real_file_ops
#include "worker/storage/file_ops.cpp"
#undef file_ops

namespace forklift::faults {
namespace {

struct Fault {
  std::string operation;
  int os_error;
  int calls_left;  // 0: every call
};

struct State {
  std::mutex mutex;
  std::vector<Fault> faults;
  std::vector<std::string> calls;
  std::size_t transfer_bytes_max = 0;
  std::shared_ptr<std::function<void(std::string_view)>> watcher;
};

State& state() {
  static State instance;
  return instance;
}

}  // namespace

void reset() {
  std::lock_guard lock(state().mutex);
  state().faults.clear();
  state().calls.clear();
  state().transfer_bytes_max = 0;
  state().watcher.reset();
}

void fail(std::string_view operation, int os_error, int nth) {
  std::lock_guard lock(state().mutex);
  state().faults.push_back({std::string(operation), os_error, nth});
}

void fail_always(std::string_view operation, int os_error) { fail(operation, os_error, 0); }

void limit_transfers(std::size_t bytes_max) {
  std::lock_guard lock(state().mutex);
  state().transfer_bytes_max = bytes_max;
}

void watch(std::function<void(std::string_view)> watcher) {
  std::lock_guard lock(state().mutex);
  state().watcher = std::make_shared<std::function<void(std::string_view)>>(std::move(watcher));
}

std::vector<std::string> calls() {
  std::lock_guard lock(state().mutex);
  return state().calls;
}

void forget_calls() {
  std::lock_guard lock(state().mutex);
  state().calls.clear();
}

std::size_t count(std::string_view operation) {
  const auto all = calls();
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), operation));
}

namespace {

/// Tells the watcher, without the lock: what it does may call file operations.
void tell(const char* moment) {
  thread_local bool telling = false;
  if (telling) return;
  std::shared_ptr<std::function<void(std::string_view)>> watcher;
  {
    std::lock_guard lock(state().mutex);
    watcher = state().watcher;
  }
  telling = true;
  if (watcher) (*watcher)(moment);
  telling = false;
}

/// Records the call; true, with errno set, when it must fail.
bool must_fail(const char* operation) {
  tell(operation);
  std::lock_guard lock(state().mutex);
  state().calls.emplace_back(operation);
  int os_error = 0;
  for (Fault& fault : state().faults) {
    if (fault.operation != operation || fault.calls_left < 0) continue;
    if (fault.calls_left == 0) {
      os_error = fault.os_error;
    } else if (--fault.calls_left == 0) {
      os_error = fault.os_error;
      fault.calls_left = -1;
    }
  }
  errno = os_error;
  return os_error != 0;
}

std::size_t shortened(std::size_t bytes) {
  std::lock_guard lock(state().mutex);
  const std::size_t most = state().transfer_bytes_max;
  return most == 0 ? bytes : std::min(bytes, most);
}

}  // namespace
}  // namespace forklift::faults

namespace forklift::file_ops {

using faults::must_fail;
using faults::shortened;
using faults::tell;

int open_at(int dirfd, const char* name, int flags, mode_t mode) {
  return must_fail(__func__) ? -1 : real_file_ops::open_at(dirfd, name, flags, mode);
}

int open_beneath(int dirfd, const char* path, int flags, mode_t mode) {
  return must_fail(__func__) ? -1 : real_file_ops::open_beneath(dirfd, path, flags, mode);
}

int open_cached(int dirfd, const char* path, int flags) {
  return must_fail(__func__) ? -1 : real_file_ops::open_cached(dirfd, path, flags);
}

ssize_t write_some(int fd, std::span<const std::byte> bytes) {
  return must_fail(__func__) ? -1 : real_file_ops::write_some(fd, bytes.first(shortened(bytes.size())));
}

ssize_t write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  return must_fail(__func__) ? -1 : real_file_ops::write_at(fd, bytes.first(shortened(bytes.size())), offset);
}

ssize_t write_vector(int fd, std::span<const iovec> ranges) {
  if (must_fail(__func__)) return -1;
  if (ranges.empty() || shortened(SIZE_MAX) == SIZE_MAX) return real_file_ops::write_vector(fd, ranges);
  const iovec first{ranges[0].iov_base, shortened(ranges[0].iov_len)};
  return real_file_ops::write_vector(fd, {&first, 1});
}

ssize_t write_vector_at(int fd, std::span<const iovec> ranges, std::uint64_t offset) {
  if (must_fail(__func__)) return -1;
  if (ranges.empty() || shortened(SIZE_MAX) == SIZE_MAX) {
    return real_file_ops::write_vector_at(fd, ranges, offset);
  }
  const iovec first{ranges[0].iov_base, shortened(ranges[0].iov_len)};
  return real_file_ops::write_vector_at(fd, {&first, 1}, offset);
}

ssize_t read_at(int fd, std::span<std::byte> bytes, std::uint64_t offset) {
  return must_fail(__func__) ? -1 : real_file_ops::read_at(fd, bytes.first(shortened(bytes.size())), offset);
}

ssize_t read_now(int fd, std::span<std::byte> bytes, std::uint64_t offset) {
  return must_fail(__func__) ? -1 : real_file_ops::read_now(fd, bytes.first(shortened(bytes.size())), offset);
}

std::int64_t cached_pages(int fd, std::uint64_t offset, std::uint64_t bytes) {
  return must_fail(__func__) ? -1 : real_file_ops::cached_pages(fd, offset, bytes);
}

int read_ahead(int fd, std::uint64_t offset, std::uint64_t bytes) {
  return must_fail(__func__) ? -1 : real_file_ops::read_ahead(fd, offset, bytes);
}

ssize_t send_file(int socket, int fd, off_t& offset, std::size_t count) {
  return must_fail(__func__) ? -1 : real_file_ops::send_file(socket, fd, offset, shortened(count));
}

ssize_t splice_to_file(int pipe, int fd, off_t& offset, std::size_t count, unsigned flags) {
  return must_fail(__func__) ? -1 : real_file_ops::splice_to_file(pipe, fd, offset, shortened(count), flags);
}

std::size_t ring_bytes(std::size_t bytes) { return shortened(bytes); }

int ring_wrote(int result) { return must_fail(__func__) ? -errno : result; }

int ring_read(int result) { return must_fail(__func__) ? -errno : result; }

int set_direct(int fd, bool direct) {
  return must_fail(__func__) ? -1 : real_file_ops::set_direct(fd, direct);
}

int sync_data(int fd) { return must_fail(__func__) ? -1 : real_file_ops::sync_data(fd); }

int sync_all(int fd) { return must_fail(__func__) ? -1 : real_file_ops::sync_all(fd); }

int allocate(int fd, int mode, std::uint64_t offset, std::uint64_t bytes) {
  return must_fail(__func__) ? -1 : real_file_ops::allocate(fd, mode, offset, bytes);
}

int truncate(int fd, std::uint64_t size) {
  return must_fail(__func__) ? -1 : real_file_ops::truncate(fd, size);
}

int rename_at(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return must_fail(__func__) ? -1 : real_file_ops::rename_at(from_dirfd, from, to_dirfd, to);
}

int rename_no_replace(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return must_fail(__func__) ? -1 : real_file_ops::rename_no_replace(from_dirfd, from, to_dirfd, to);
}

int rename_exchange(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return must_fail(__func__) ? -1 : real_file_ops::rename_exchange(from_dirfd, from, to_dirfd, to);
}

int link_at(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return must_fail(__func__) ? -1 : real_file_ops::link_at(from_dirfd, from, to_dirfd, to);
}

int unlink_at(int dirfd, const char* name) {
  return must_fail(__func__) ? -1 : real_file_ops::unlink_at(dirfd, name);
}

int remove_directory_at(int dirfd, const char* name) {
  return must_fail(__func__) ? -1 : real_file_ops::remove_directory_at(dirfd, name);
}

int make_directory_at(int dirfd, const char* name, mode_t mode) {
  return must_fail(__func__) ? -1 : real_file_ops::make_directory_at(dirfd, name, mode);
}

int set_modified(int fd, const timespec& time) {
  return must_fail(__func__) ? -1 : real_file_ops::set_modified(fd, time);
}

int stat_fd(int fd, struct stat& out) { return must_fail(__func__) ? -1 : real_file_ops::stat_fd(fd, out); }

int stat_disk(int fd, struct statvfs& out) {
  if (must_fail(__func__)) return -1;
  const int result = real_file_ops::stat_disk(fd, out);
  const int os_error = errno;
  tell("looked");
  errno = os_error;
  return result;
}

int stat_at(int dirfd, const char* name, struct stat& out) {
  return must_fail(__func__) ? -1 : real_file_ops::stat_at(dirfd, name, out);
}

int access_at(int dirfd, const char* name, int mode) {
  return must_fail(__func__) ? -1 : real_file_ops::access_at(dirfd, name, mode);
}

int lock_exclusive(int fd) { return must_fail(__func__) ? -1 : real_file_ops::lock_exclusive(fd); }

int lock_byte(int fd, off_t offset) {
  return must_fail(__func__) ? -1 : real_file_ops::lock_byte(fd, offset);
}

int unlock_byte(int fd, off_t offset) {
  return must_fail(__func__) ? -1 : real_file_ops::unlock_byte(fd, offset);
}

DIR* open_directory(int fd) { return must_fail(__func__) ? nullptr : real_file_ops::open_directory(fd); }

const dirent* next_entry(DIR* directory) {
  return must_fail(__func__) ? nullptr : real_file_ops::next_entry(directory);
}

}  // namespace forklift::file_ops
