#include "common/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "support/catch.h"

namespace forklift {
namespace {

struct TemporaryDirectory {
  TemporaryDirectory() {
    char name[] = "/tmp/forklift-listener-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string failure_of(const std::string& address) {
  const auto listeners = open_listeners({address}, 16);
  return listeners.ok() ? "none" : listeners.error();
}

}  // namespace

TEST_CASE("addresses are read as gunicorn's users write them") {
  using Family = Address::Family;
  CHECK(parse_address("127.0.0.1:8000").value() == Address{Family::kIpv4, "127.0.0.1", 8000});
  CHECK(parse_address("localhost:80").value() == Address{Family::kName, "localhost", 80});
  CHECK(parse_address(":0").value() == Address{Family::kIpv4, "0.0.0.0", 0});
  CHECK(parse_address("[::]:65535").value() == Address{Family::kIpv6, "::", 65535});
  CHECK(parse_address("unix:/run/x.sock").value() == Address{Family::kUnix, "/run/x.sock", 0});
}

TEST_CASE("what is no address is refused and named") {
  for (const char* const text : {"", "8000", "host", "host:", "host:65536", "host:-1", "host:80x", "::1:80",
                                 "[::1]", "unix:", "[::1:80"}) {
    const auto address = parse_address(text);
    INFO(text);
    REQUIRE_FALSE(address.ok());
    CHECK(address.error().find(std::string("\"") + text + "\"") == 0);
  }
}

TEST_CASE("port 0 is any free port, and the URL says which") {
  const auto listeners = open_listeners({"127.0.0.1:0"}, 16);
  REQUIRE(listeners.ok());
  const std::string& url = listeners->front().url();
  CHECK(url.starts_with("http://127.0.0.1:"));
  CHECK_FALSE(url.ends_with(":0"));
}

TEST_CASE("a listener is non-blocking and not inherited by accident") {
  const auto listeners = open_listeners({"127.0.0.1:0"}, 16);
  REQUIRE(listeners.ok());
  CHECK((::fcntl(listeners->front().fd(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(listeners->front().fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a port that is taken is refused with its address and a likely reason") {
  const auto first = open_listeners({"127.0.0.1:0"}, 16);
  REQUIRE(first.ok());
  const std::string address = first->front().url().substr(7);
  CHECK(failure_of(address) ==
        "cannot listen on " + address + ": the address is in use; is another instance running already?");
}

TEST_CASE("an address that this machine does not have is refused") {
  CHECK(failure_of("192.0.2.1:0") ==
        "cannot listen on 192.0.2.1:0: no interface of this machine has that address");
}

TEST_CASE("a name that does not exist is refused") {
  CHECK(failure_of("no-such-host.invalid:80").starts_with("cannot listen on no-such-host.invalid:80: "));
}

TEST_CASE("one of several addresses that fails closes the others") {
  const auto taken = open_listeners({"127.0.0.1:0"}, 16);
  REQUIRE(taken.ok());
  const int lowest = ::dup(0);
  ::close(lowest);
  REQUIRE_FALSE(open_listeners({"127.0.0.1:0", taken->front().url().substr(7)}, 16).ok());
  const int still_lowest = ::dup(0);
  ::close(still_lowest);
  CHECK(still_lowest == lowest);
}

TEST_CASE("a wildcard for IPv6 takes IPv4 too, unless IPv4 is asked for beside it") {
  auto both = open_listeners({"[::]:0"}, 16);
  if (!both) return;  // a machine without IPv6
  int only = -1;
  socklen_t size = sizeof only;
  REQUIRE(::getsockopt(both->front().fd(), IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == 0);
  CHECK(only == 0);
  const std::string port = both->front().url().substr(both->front().url().rfind(':'));
  both = std::string("closed");
  const auto apart = open_listeners({"0.0.0.0" + port, "[::]" + port}, 16);
  CHECK(apart.ok());
}

TEST_CASE("a unix socket is there while it is listened on, and gone afterwards") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "x.sock";
  auto listeners = std::optional(open_listeners({"unix:" + path}, 16));
  REQUIRE(listeners->ok());
  CHECK(listeners->value().front().url() == "unix:" + path);
  CHECK(exists(path));
  listeners.reset();
  CHECK_FALSE(exists(path));
}

TEST_CASE("a unix socket that someone serves is refused, one that nobody serves is replaced") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "x.sock";
  {
    const auto first = open_listeners({"unix:" + path}, 16);
    REQUIRE(first.ok());
    CHECK(failure_of("unix:" + path).find("the address is in use") != std::string::npos);
    // As a crash leaves it: the name stays.
    ::link(path.c_str(), (path + ".kept").c_str());
  }
  ::rename((path + ".kept").c_str(), path.c_str());
  REQUIRE(exists(path));
  CHECK(failure_of("unix:" + path) == "none");
}

TEST_CASE("a socket of another kind that someone serves is not replaced") {
  const TemporaryDirectory directory;
  for (const int kind : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    const std::string path = directory.path / std::to_string(kind);
    const UniqueFd fd(::socket(AF_UNIX, kind | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    CHECK(failure_of("unix:" + path).find("the address is in use") != std::string::npos);
  }
}

TEST_CASE("a unix socket belongs to whom it is opened for") {
  if (::geteuid() != 0) return;  // nobody else may give files away
  const TemporaryDirectory directory;
  const std::string path = directory.path / "x.sock";
  const auto listeners = open_listeners({"unix:" + path}, 16, Owner{65534, 65533});
  REQUIRE(listeners.ok());
  struct stat status;
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  CHECK(status.st_uid == 65534);
  CHECK(status.st_gid == 65533);
}

TEST_CASE("a unix socket that this user may not ask is not replaced") {
  if (::geteuid() != 0) return;
  const TemporaryDirectory directory;
  ::chmod(directory.path.c_str(), 0777);
  const std::string path = directory.path / "x.sock";
  const auto listeners = open_listeners({"unix:" + path}, 16);
  REQUIRE(listeners.ok());
  ::chmod(path.c_str(), 0700);
  REQUIRE(::seteuid(65534) == 0);
  const std::string failure = failure_of("unix:" + path);
  REQUIRE(::seteuid(0) == 0);
  CHECK(failure.find("may not ask whether anyone serves the socket") != std::string::npos);
}

TEST_CASE("a file that is no socket is never replaced by one") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "precious";
  std::ofstream(path) << "x";
  CHECK(failure_of("unix:" + path) ==
        "cannot listen on unix:" + path + ": a file that is not a socket stands there");
  CHECK(std::filesystem::file_size(path) == 1);
}

TEST_CASE("a unix socket's file that has become somebody else's is left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.path / "x.sock";
  {
    const auto first = open_listeners({"unix:" + path}, 16);
    REQUIRE(first.ok());
    ::unlink(path.c_str());
    std::ofstream(path) << "x";
  }
  CHECK(exists(path));
}

TEST_CASE("a unix socket's path that is too long is refused") {
  CHECK(failure_of("unix:/tmp/" + std::string(120, 'x')).find("too long") != std::string::npos);
}

}  // namespace forklift
