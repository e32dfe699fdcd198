#include "worker/storage/file_ops.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace forklift::file_ops {

int open_at(int dirfd, const char* name, int flags, mode_t mode) {
  return ::openat(dirfd, name, flags, mode);
}

namespace {

constexpr std::uint64_t kBeneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/// cachestat(2) is younger than the C library of those who have its kernel.
constexpr long kCachestat = 451;

struct CachestatRange {
  std::uint64_t offset;
  std::uint64_t bytes;
};

struct Cachestat {
  std::uint64_t cached;
  std::uint64_t dirty;
  std::uint64_t writeback;
  std::uint64_t evicted;
  std::uint64_t recently_evicted;
};

int open_resolving(int dirfd, const char* path, int flags, mode_t mode, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.mode = mode;
  how.resolve = resolve;
  return static_cast<int>(::syscall(SYS_openat2, dirfd, path, &how, sizeof how));
}

}  // namespace

int open_beneath(int dirfd, const char* path, int flags, mode_t mode) {
  return open_resolving(dirfd, path, flags, mode, kBeneath);
}

int open_cached(int dirfd, const char* path, int flags) {
  return open_resolving(dirfd, path, flags, 0, kBeneath | RESOLVE_CACHED);
}

ssize_t write_some(int fd, std::span<const std::byte> bytes) {
  return ::write(fd, bytes.data(), bytes.size());
}

ssize_t write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
}

ssize_t write_vector(int fd, std::span<const iovec> ranges) {
  return ::writev(fd, ranges.data(), static_cast<int>(ranges.size()));
}

ssize_t write_vector_at(int fd, std::span<const iovec> ranges, std::uint64_t offset) {
  return ::pwritev(fd, ranges.data(), static_cast<int>(ranges.size()), static_cast<off_t>(offset));
}

ssize_t read_at(int fd, std::span<std::byte> bytes, std::uint64_t offset) {
  return ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
}

ssize_t read_now(int fd, std::span<std::byte> bytes, std::uint64_t offset) {
  const iovec range{bytes.data(), bytes.size()};
  return ::preadv2(fd, &range, 1, static_cast<off_t>(offset), RWF_NOWAIT);
}

std::int64_t cached_pages(int fd, std::uint64_t offset, std::uint64_t bytes) {
  const CachestatRange range{offset, bytes};
  Cachestat found{};
  if (::syscall(kCachestat, fd, &range, &found, 0) < 0) return -1;
  return static_cast<std::int64_t>(found.cached);
}

int read_ahead(int fd, std::uint64_t offset, std::uint64_t bytes) {
  return static_cast<int>(::readahead(fd, static_cast<off_t>(offset), bytes));
}

ssize_t send_file(int socket, int fd, off_t& offset, std::size_t count) {
  return ::sendfile(socket, fd, &offset, count);
}

ssize_t splice_to_file(int pipe, int fd, off_t& offset, std::size_t count, unsigned flags) {
  return ::splice(pipe, nullptr, fd, &offset, count, flags);
}

std::size_t ring_bytes(std::size_t bytes) { return bytes; }

int ring_wrote(int result) { return result; }

int ring_read(int result) { return result; }

int set_direct(int fd, bool direct) { return ::fcntl(fd, F_SETFL, direct ? O_RDWR | O_DIRECT : O_RDWR); }

int sync_data(int fd) { return ::fdatasync(fd); }

int sync_all(int fd) { return ::fsync(fd); }

int allocate(int fd, int mode, std::uint64_t offset, std::uint64_t bytes) {
  return ::fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(bytes));
}

int truncate(int fd, std::uint64_t size) { return ::ftruncate(fd, static_cast<off_t>(size)); }

int rename_at(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return ::renameat(from_dirfd, from, to_dirfd, to);
}

int rename_no_replace(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return ::renameat2(from_dirfd, from, to_dirfd, to, RENAME_NOREPLACE);
}

int rename_exchange(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return ::renameat2(from_dirfd, from, to_dirfd, to, RENAME_EXCHANGE);
}

int link_at(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  return ::linkat(from_dirfd, from, to_dirfd, to, 0);
}

int unlink_at(int dirfd, const char* name) { return ::unlinkat(dirfd, name, 0); }

int remove_directory_at(int dirfd, const char* name) { return ::unlinkat(dirfd, name, AT_REMOVEDIR); }

int make_directory_at(int dirfd, const char* name, mode_t mode) { return ::mkdirat(dirfd, name, mode); }

int set_modified(int fd, const timespec& time) {
  const timespec times[2] = {{0, UTIME_OMIT}, time};
  return ::futimens(fd, times);
}

int stat_fd(int fd, struct stat& out) { return ::fstat(fd, &out); }

int stat_disk(int fd, struct statvfs& out) { return ::fstatvfs(fd, &out); }

int stat_at(int dirfd, const char* name, struct stat& out) {
  return ::fstatat(dirfd, name, &out, AT_SYMLINK_NOFOLLOW);
}

int access_at(int dirfd, const char* name, int mode) { return ::faccessat(dirfd, name, mode, AT_EACCESS); }

int lock_exclusive(int fd) { return ::flock(fd, LOCK_EX | LOCK_NB); }

namespace {

int set_lock(int fd, off_t offset, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = offset;
  lock.l_len = 1;
  return ::fcntl(fd, F_OFD_SETLK, &lock);
}

}  // namespace

int lock_byte(int fd, off_t offset) { return set_lock(fd, offset, F_WRLCK); }

int unlock_byte(int fd, off_t offset) { return set_lock(fd, offset, F_UNLCK); }

DIR* open_directory(int fd) { return ::fdopendir(fd); }

const dirent* next_entry(DIR* directory) {
  errno = 0;
  return ::readdir(directory);
}

}  // namespace forklift::file_ops
