#include "common/ready_write.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <string>

#include "common/unique_fd.h"
#include "support/catch.h"

namespace forklift {
namespace {

/// Writes lines until no more are taken; a write that waits ends the program by SIGALRM.
std::size_t fill(int fd, const std::string& line) {
  ::alarm(20);
  std::size_t taken = 0;
  for (;;) {
    const auto written = write_ready(fd, line);
    REQUIRE(written.ok());
    taken += *written;
    if (*written < line.size()) break;
  }
  const auto again = write_ready(fd, "x");
  CHECK((again.ok() && *again <= 1));
  ::alarm(0);
  CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
  return taken;
}

std::size_t drain(int fd) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  std::size_t size = 0;
  char bytes[4096];
  for (ssize_t got = 0; (got = ::read(fd, bytes, sizeof bytes)) > 0;) size += static_cast<std::size_t>(got);
  return size;
}

}  // namespace

TEST_CASE("a pipe is written up to what it takes, and no write waits") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const std::size_t taken = fill(writer.get(), std::string(1000, 'a') + '\n');
  CHECK(taken >= PIPE_BUF);
  CHECK(drain(reader.get()) >= taken);
  const auto whole = write_ready(writer.get(), std::string(3 * PIPE_BUF, 'b'));
  REQUIRE(whole.ok());
  CHECK(*whole == 3 * PIPE_BUF);
}

TEST_CASE("a piece that a pipe takes at once goes whole or not at all") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const std::string line(3000, 'a');
  CHECK(fill(writer.get(), line) % line.size() == 0);
}

TEST_CASE("a socket that is full takes no more, and no write waits") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const std::size_t taken = fill(writer.get(), std::string(1000, 'a') + '\n');
  CHECK(drain(reader.get()) >= taken);
}

TEST_CASE("a terminal that nobody looks at takes no more, and no write waits") {
  const UniqueFd screen(::posix_openpt(O_RDWR | O_NOCTTY));
  REQUIRE(screen);
  REQUIRE((::grantpt(screen.get()) == 0 && ::unlockpt(screen.get()) == 0));
  const UniqueFd terminal(::open(::ptsname(screen.get()), O_RDWR | O_NOCTTY));
  REQUIRE(terminal);
  const std::size_t taken = fill(terminal.get(), std::string(1000, 'a') + '\n');
  CHECK(taken > 0);
  CHECK(drain(screen.get()) >= taken);
}

TEST_CASE("a pipe without a reader is an error") {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const UniqueFd writer(ends[1]);
  ::close(ends[0]);
  const auto written = write_ready(writer.get(), "x");
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().os_error == EPIPE);
  CHECK_FALSE(write_ready(-1, "x").ok());
}

}  // namespace forklift
