#pragma once

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace forklift::file_ops {

// Every system call the server makes on files, one function each, with the results and errno of libc. Thin on
// purpose: no retries, no policy. This header has two implementations, chosen by what an executable links:
// file_ops (the system) and tests/support/fault_file_ops (the system, failing on command).
// Any thread may call any of them.

/// openat(2).
int open_at(int dirfd, const char* name, int flags, mode_t mode = 0);

/// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS. ENOSYS or EPERM: this
/// kernel, seccomp filter or valgrind has no openat2. `mode` must be 0 without O_CREAT.
int open_beneath(int dirfd, const char* path, int flags, mode_t mode = 0);

/// The same with RESOLVE_CACHED (Linux 5.12; EINVAL before): EAGAIN where the disk would have to be asked.
int open_cached(int dirfd, const char* path, int flags);

/// write(2), pwrite(2), writev(2), pwritev(2): may write less than asked.
ssize_t write_some(int fd, std::span<const std::byte> bytes);
ssize_t write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset);
ssize_t write_vector(int fd, std::span<const iovec> ranges);
ssize_t write_vector_at(int fd, std::span<const iovec> ranges, std::uint64_t offset);

/// pread(2); preadv2(2) with RWF_NOWAIT (EAGAIN: the disk would have to be waited for; EOPNOTSUPP: this file
/// system cannot tell).
ssize_t read_at(int fd, std::span<std::byte> bytes, std::uint64_t offset);
ssize_t read_now(int fd, std::span<std::byte> bytes, std::uint64_t offset);

/// How many pages of that range the page cache has, those that are being read included: cachestat(2) (Linux
/// 6.5), or -1. EPERM: not of a file that one may neither write nor owns.
std::int64_t cached_pages(int fd, std::uint64_t offset, std::uint64_t bytes);

/// readahead(2): reads into the page cache, as much of it at once as the system likes; may block.
int read_ahead(int fd, std::uint64_t offset, std::uint64_t bytes);

/// sendfile(2): from `offset` of `fd` to a socket; moves `offset` on.
ssize_t send_file(int socket, int fd, off_t& offset, std::size_t count);

/// splice(2) from a pipe into a file at `offset`; moves `offset` on.
ssize_t splice_to_file(int pipe, int fd, off_t& offset, std::size_t count, unsigned flags);

/// io_uring(7) reads and writes elsewhere (loop/ring.h). What is asked of it and what it answers passes here:
/// how many of `bytes` to ask for (all), and the result of a write and of a read (itself, or minus errno).
std::size_t ring_bytes(std::size_t bytes);
int ring_wrote(int result);
int ring_read(int result);

/// Switches O_DIRECT (fcntl(2), F_SETFL) of a file open for reading and writing. EINVAL: this file system has
/// none.
int set_direct(int fd, bool direct);

/// fdatasync(2), fsync(2). After a failure the pages are lost: never call again for the same data.
int sync_data(int fd);
int sync_all(int fd);

/// fallocate(2) with `mode`, ftruncate(2).
int allocate(int fd, int mode, std::uint64_t offset, std::uint64_t bytes);
int truncate(int fd, std::uint64_t size);

/// renameat(2); renameat2(2) with RENAME_NOREPLACE and with RENAME_EXCHANGE (EINVAL, ENOSYS: not here).
int rename_at(int from_dirfd, const char* from, int to_dirfd, const char* to);
int rename_no_replace(int from_dirfd, const char* from, int to_dirfd, const char* to);
int rename_exchange(int from_dirfd, const char* from, int to_dirfd, const char* to);

/// linkat(2) without flags: the name itself, never what a symbolic link points to.
int link_at(int from_dirfd, const char* from, int to_dirfd, const char* to);

/// unlinkat(2) of a file and of an empty directory.
int unlink_at(int dirfd, const char* name);
int remove_directory_at(int dirfd, const char* name);

/// mkdirat(2).
int make_directory_at(int dirfd, const char* name, mode_t mode);

/// futimens(2): the time of the last write; that of the last read stays.
int set_modified(int fd, const timespec& time);

/// fstat(2); fstatat(2) with AT_SYMLINK_NOFOLLOW.
int stat_fd(int fd, struct stat& out);
int stat_at(int dirfd, const char* name, struct stat& out);

/// fstatvfs(3).
int stat_disk(int fd, struct statvfs& out);

/// faccessat(2) with AT_EACCESS.
int access_at(int dirfd, const char* name, int mode);

/// flock(2) with LOCK_EX | LOCK_NB: held until the last duplicate of the descriptor is closed. EWOULDBLOCK:
/// another holds it.
int lock_exclusive(int fd);

/// fcntl(2), F_OFD_SETLK of one byte: held by the open file description. EAGAIN, EACCES: another holds it.
int lock_byte(int fd, off_t offset);
int unlock_byte(int fd, off_t offset);

/// fdopendir(3): takes the descriptor over, unless it fails. closedir(3) ends it.
DIR* open_directory(int fd);

/// readdir(3): null at the end (errno 0) or on failure (errno set).
const dirent* next_entry(DIR* directory);

}  // namespace forklift::file_ops
