#include "common/pid_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "common/log.h"

namespace forklift {
namespace {

std::string failure(const std::string& path, std::string_view what, int os_error) {
  return log::text("cannot ", what, " the pid file ", path, ": ", std::generic_category().message(os_error));
}

/// Its first bytes: more than a process id and a line end need.
std::string start_of(int fd) {
  std::string text(24, '\0');
  const ssize_t length = ::pread(fd, text.data(), text.size(), 0);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

std::string holder_of(int fd) {
  const std::string text = start_of(fd);
  const std::string digits = text.substr(0, text.find_first_not_of("0123456789"));
  return digits.empty() ? "another process" : log::text("process ", digits);
}

/// Empty, or what a process before us left: nobody's text is lost to a mistyped name.
bool is_pid_file(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < 24 &&
         start_of(fd).find_first_not_of("0123456789 \r\n") == std::string::npos;
}

bool still_at(const std::string& path, int fd) {
  struct stat here;
  struct stat there;
  return ::fstat(fd, &here) == 0 && ::lstat(path.c_str(), &there) == 0 && here.st_dev == there.st_dev &&
         here.st_ino == there.st_ino;
}

}  // namespace

Result<PidFile, std::string> PidFile::create(const std::string& path) {
  for (;;) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return failure(path, "open", errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return failure(path, "lock", errno);
      return log::text("the pid file ", path, " is held by ", holder_of(fd.get()),
                       ": another instance is running");
    }
    // Whoever held it may have removed it between our open and our lock.
    if (!still_at(path, fd.get())) continue;
    if (!is_pid_file(fd.get())) {
      return log::text("the pid file ", path, " holds something else than a process id: name another file");
    }
    const std::string line = log::text(::getpid(), '\n');
    if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), line.data(), line.size(), 0) < 0) {
      return failure(path, "write", errno);
    }
    return PidFile(std::move(fd), path);
  }
}

PidFile::~PidFile() {
  if (fd_ && still_at(path_, fd_.get())) ::unlink(path_.c_str());
}

}  // namespace forklift
