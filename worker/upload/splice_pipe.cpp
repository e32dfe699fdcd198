#include "worker/upload/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"

namespace forklift {

namespace {

constexpr std::size_t kDefaultPipeBytes = 64 * 1024;

/// What is asked for, largest first: /proc/sys/fs/pipe-max-size and the user's total may refuse (pipe(7)).
constexpr std::size_t kPipeBytes[] = {1024 * 1024, 512 * 1024, 256 * 1024};

std::size_t enlarge(int pipe) {
  for (const std::size_t bytes : kPipeBytes) {
    if (::fcntl(pipe, F_SETPIPE_SZ, static_cast<int>(bytes)) >= 0) return bytes;
  }
  return kDefaultPipeBytes;
}

Error drain_error(ssize_t moved) {
  if (moved == 0) return {ErrorCode::kIo, "splice: nothing written"};
  if (errno == EINVAL) return {ErrorCode::kUnsupported, "splice to this file system", errno};
  return errno_error("splice");
}

}  // namespace

std::int64_t SplicePipe::fill(int socket, std::uint64_t bytes_max) {
  if (!open()) return -1;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, bytes_max_));
  const ssize_t moved = retry_eintr([&] {
    return ::splice(socket, nullptr, write_end_.get(), nullptr, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  });
  if (moved > 0) held_bytes_ = static_cast<std::size_t>(moved);
  return moved;
}

Result<void> SplicePipe::drain(int file, std::uint64_t offset) {
  auto position = static_cast<off_t>(offset);
  while (held_bytes_ > 0) {
    const ssize_t moved = retry_eintr([&] {
      return file_ops::splice_to_file(read_end_.get(), file, position, held_bytes_, SPLICE_F_MOVE);
    });
    if (moved <= 0) {
      const Error error = drain_error(moved);
      drop();
      return error;
    }
    held_bytes_ -= static_cast<std::size_t>(moved);
  }
  return {};
}

bool SplicePipe::open() {
  if (held_bytes_ > 0) drop();
  if (read_end_) return true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return false;
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
  bytes_max_ = enlarge(ends[1]);
  return true;
}

void SplicePipe::drop() {
  read_end_.reset();
  write_end_.reset();
  held_bytes_ = 0;
}

}  // namespace forklift
