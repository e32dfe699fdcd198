#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "common/log.h"
#include "common/pid_file.h"
#include "common/privileges.h"
#include "support/catch.h"

namespace forklift {
namespace {

struct PidFilePath {
  PidFilePath() {
    char name[] = "/tmp/forklift-pid-XXXXXX";
    directory = ::mkdtemp(name);
    path = directory / "pid";
  }
  ~PidFilePath() { std::filesystem::remove_all(directory); }
  std::filesystem::path directory;
  std::string path;
};

std::string content(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

/// Runs `check` in a process of its own, for what cannot be taken back; true when it returned true.
template <typename Check>
bool in_a_child(Check check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check() ? 0 : 1);
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a pid file holds the process id as long as it lives") {
  const PidFilePath at;
  {
    const auto pid_file = PidFile::create(at.path);
    REQUIRE(pid_file.ok());
    CHECK(content(at.path) == std::to_string(::getpid()));
  }
  CHECK_FALSE(std::filesystem::exists(at.path));
}

TEST_CASE("a pid file that is held is refused and keeps its content") {
  const PidFilePath at;
  const auto first = PidFile::create(at.path);
  REQUIRE(first.ok());
  const auto second = PidFile::create(at.path);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error() == log::text("the pid file ", at.path, " is held by process ", ::getpid(),
                                    ": another instance is running"));
  CHECK(content(at.path) == std::to_string(::getpid()));
}

TEST_CASE("a pid file that nobody holds is taken over") {
  const PidFilePath at;
  std::ofstream(at.path) << "4711\n";
  const auto pid_file = PidFile::create(at.path);
  REQUIRE(pid_file.ok());
  CHECK(content(at.path) == std::to_string(::getpid()));
}

TEST_CASE("a file that holds something else than a process id is not taken for a pid file") {
  for (const std::string text : {"dear diary\n", "12 monkeys\n", "123456789012345678901234567890\n"}) {
    const PidFilePath at;
    std::ofstream(at.path) << text;
    const auto pid_file = PidFile::create(at.path);
    REQUIRE_FALSE(pid_file.ok());
    CHECK(pid_file.error() ==
          "the pid file " + at.path + " holds something else than a process id: name another file");
    CHECK(std::filesystem::file_size(at.path) == text.size());
  }
}

TEST_CASE("a pid file that was replaced is not removed") {
  const PidFilePath at;
  {
    const auto pid_file = PidFile::create(at.path);
    REQUIRE(pid_file.ok());
    std::filesystem::remove(at.path);
    std::ofstream(at.path) << "somebody else\n";
  }
  CHECK(content(at.path) == "somebody else");
}

TEST_CASE("a pid file in a directory that is not there is refused with the reason") {
  const auto pid_file = PidFile::create("/no/such/directory/pid");
  REQUIRE_FALSE(pid_file.ok());
  CHECK(pid_file.error() == "cannot open the pid file /no/such/directory/pid: No such file or directory");
}

TEST_CASE("nobody named, nobody changed") { CHECK(drop_privileges("", "").ok()); }

TEST_CASE("a user or group that does not exist is refused by name") {
  CHECK(drop_privileges("no-such-user", "").error() == "there is no user \"no-such-user\"");
  CHECK(drop_privileges("", "no-such-group").error() == "there is no group \"no-such-group\"");
}

TEST_CASE("whether a user can be had is known without becoming it") {
  CHECK(owner_of("", "").ok());
  CHECK(owner_of("no-such-user", "").error() == "there is no user \"no-such-user\"");
  const uid_t me = ::geteuid();
  CHECK(owner_of("nobody", "").ok() == (me == 0 || me == 65534));
  CHECK(::geteuid() == me);
}

TEST_CASE("root becomes the user for good, without root's groups") {
  if (::geteuid() != 0) return;
  const gid_t roots[] = {0, 4};
  CHECK(in_a_child([&] {
    if (::setgroups(2, roots) != 0) return false;
    gid_t groups[8];
    const bool dropped = drop_privileges("nobody", "").ok();
    const int count = ::getgroups(8, groups);
    bool rooted = false;
    for (int i = 0; i < count; ++i) rooted = rooted || groups[i] == 0;
    return dropped && ::getuid() == 65534 && ::getgid() == 65534 && !rooted && ::setuid(0) != 0;
  }));
  CHECK(in_a_child([&] {
    if (::setgroups(2, roots) != 0) return false;
    return drop_privileges("12345", "54321").ok() && ::geteuid() == 12345 && ::getegid() == 54321 &&
           ::getgroups(0, nullptr) == 0;
  }));
}

TEST_CASE("who is not root may name himself and nobody else") {
  if (::geteuid() != 0) return;
  CHECK(in_a_child([] {
    return drop_privileges("nobody", "").ok() && drop_privileges("nobody", "").ok() &&
           !drop_privileges("root", "").ok();
  }));
}

TEST_CASE("a line of the log is made of strings, characters and numbers") {
  CHECK(log::text("worker ", 7, ':', std::string("ok"), ' ', true) == "worker 7:ok 1");
}

}  // namespace forklift
