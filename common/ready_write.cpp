#include "common/ready_write.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

#include "common/errno_error.h"
#include "common/unique_fd.h"

namespace forklift {
namespace {

ssize_t write_if_polled(int fd, std::string_view bytes) {
  pollfd asked{fd, POLLOUT, 0};
  const int answered = ::poll(&asked, 1, 0);
  if (answered > 0) return ::write(fd, bytes.data(), bytes.size());  // an error, too, is write's to say
  if (answered == 0) errno = EAGAIN;
  return -1;
}

/// By a description of our own for the same pipe or terminal, on which O_NONBLOCK is nobody else's matter.
ssize_t write_by_own_description(int fd, std::string_view bytes) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const UniqueFd own(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return own ? ::write(own.get(), bytes.data(), bytes.size()) : write_if_polled(fd, bytes);
}

ssize_t write_unless_it_waits(int fd, std::string_view bytes) {
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  const ssize_t written = ::pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
  const bool unsupported = written < 0 && (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS);
  return unsupported ? write_by_own_description(fd, bytes) : written;
}

ssize_t write_piece(int fd, mode_t mode, std::string_view bytes) {
  if (S_ISREG(mode)) return ::write(fd, bytes.data(), bytes.size());
  const std::string_view piece = bytes.substr(0, PIPE_BUF);  // a pipe takes it whole or not at all
  if (S_ISSOCK(mode)) return ::send(fd, piece.data(), piece.size(), MSG_DONTWAIT);
  return write_unless_it_waits(fd, piece);
}

}  // namespace

Result<std::size_t> write_ready(int fd, std::string_view bytes) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno_error("fstat");
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = write_piece(fd, status.st_mode, bytes.substr(done));
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
      if (written == 0) break;
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      if (done == 0) return errno_error("write");
      break;  // said again by the next call
    }
  }
  return done;
}

}  // namespace forklift
