#include "common/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "common/log.h"

namespace forklift {
namespace {

std::string reason_of(int os_error) { return std::generic_category().message(os_error); }

std::string spelled(const Address& address) {
  switch (address.family) {
    case Address::Family::kUnix:
      return "unix:" + address.host;
    case Address::Family::kIpv6:
      return log::text('[', address.host, "]:", address.port);
    default:
      return log::text(address.host, ':', address.port);
  }
}

std::string cannot(const Address& address, std::string_view reason) {
  return log::text("cannot listen on ", spelled(address), ": ", reason);
}

std::string bind_failure(const Address& address, int os_error) {
  switch (os_error) {
    case EADDRINUSE:
      return cannot(address, "the address is in use; is another instance running already?");
    case EADDRNOTAVAIL:
      return cannot(address, "no interface of this machine has that address");
    case EACCES:
      return cannot(address, "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE");
    default:
      return cannot(address, reason_of(os_error));
  }
}

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// IPv4 first, as gunicorn does: "localhost" is 127.0.0.1 wherever that exists.
Result<AddressList, std::string> resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  if (address.family != Address::Family::kName) hints.ai_flags |= AI_NUMERICHOST;
  hints.ai_family = address.family == Address::Family::kIpv6 ? AF_INET6 : AF_INET;
  const std::string port = std::to_string(address.port);
  addrinfo* found = nullptr;
  int problem = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  if (problem != 0 && address.family == Address::Family::kName) {
    hints.ai_family = AF_INET6;
    problem = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  }
  if (problem != 0) return cannot(address, ::gai_strerror(problem));
  return AddressList(found, &::freeaddrinfo);
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

Result<UniqueFd, std::string> listen_on_tcp(const Address& address, int backlog, bool ipv6_only) {
  auto list = resolve(address);
  if (!list) return list.error();
  const addrinfo& target = **list;
  UniqueFd fd(::socket(target.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return bind_failure(address, errno);
  const int on = 1;
  const int only = ipv6_only ? 1 : 0;
  // Without it a port stays taken for a minute after each restart (connections in TIME_WAIT).
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return bind_failure(address, errno);
  if (target.ai_family == AF_INET6 &&
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) {
    return bind_failure(address, errno);
  }
  if (::bind(fd.get(), target.ai_addr, target.ai_addrlen) != 0) return bind_failure(address, errno);
  if (::listen(fd.get(), backlog) != 0) return bind_failure(address, errno);
  return fd;
}

bool unix_address(const std::string& path, sockaddr_un& name) {
  name = sockaddr_un{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) return false;
  std::memcpy(name.sun_path, path.data(), path.size());
  return true;
}

/// Why the path may not be taken, or nothing: it is free, or a socket that nobody listens on. Whatever the
/// kernel does not say that of (another kind of socket, one that this user may not ask) is somebody's.
std::string occupied(const Address& address) {
  struct stat status;
  if (::lstat(address.host.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return cannot(address, "a file that is not a socket stands there");
  sockaddr_un name;
  if (!unix_address(address.host, name)) return {};
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool answered = ::connect(probe.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
  if (!answered && (errno == ECONNREFUSED || errno == ENOENT)) return {};
  if (!answered && errno == EACCES) {
    return cannot(address,
                  "this user may not ask whether anyone serves the socket there; remove it if nobody does");
  }
  return bind_failure(address, EADDRINUSE);
}

Result<UniqueFd, std::string> listen_on_unix(const Address& address, int backlog, const Owner& owner) {
  if (std::string reason = occupied(address); !reason.empty()) return reason;
  // Bound under another name and moved into place: nobody ever finds a path that refuses to answer.
  const std::string temporary = log::text(address.host, '.', ::getpid());
  sockaddr_un name;
  if (!unix_address(temporary, name))
    return cannot(address, "the path is too long (unix(7) allows 107 bytes)");
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return cannot(address, reason_of(errno));
  ::unlink(temporary.c_str());
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
    return cannot(address, reason_of(errno));
  }
  if (::lchown(temporary.c_str(), owner.user, owner.group) != 0 || ::listen(fd.get(), backlog) != 0 ||
      ::rename(temporary.c_str(), address.host.c_str()) != 0) {
    const int os_error = errno;
    ::unlink(temporary.c_str());
    return cannot(address, reason_of(os_error));
  }
  return fd;
}

bool same_port_in_ipv4(const std::vector<Address>& all, std::uint16_t port) {
  for (const Address& other : all) {
    if (other.port == port && other.port != 0 && other.family == Address::Family::kIpv4) return true;
  }
  return false;
}

}  // namespace

Result<Listener, std::string> Listener::open(const Address& address, int backlog, const Owner& owner,
                                             bool ipv6_only) {
  const bool is_unix = address.family == Address::Family::kUnix;
  auto fd = is_unix ? listen_on_unix(address, backlog, owner) : listen_on_tcp(address, backlog, ipv6_only);
  if (!fd) return fd.error();
  Address real = address;
  if (!is_unix) real.port = bound_port(fd->get());
  return Listener(std::move(*fd), address, (is_unix ? "" : "http://") + spelled(real));
}

Listener::Listener(UniqueFd fd, Address asked, std::string url)
    : fd_(std::move(fd)), asked_(std::move(asked)), url_(std::move(url)) {
  struct stat status;
  if (asked_.family != Address::Family::kUnix || ::lstat(asked_.host.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

Listener::~Listener() {
  if (!fd_ || asked_.family != Address::Family::kUnix) return;
  struct stat status;
  if (::lstat(asked_.host.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(asked_.host.c_str());
}

Result<std::vector<Listener>, std::string> open_listeners(const std::vector<std::string>& addresses,
                                                          int backlog, const Owner& owner) {
  std::vector<Address> parsed;
  for (const std::string& text : addresses) {
    auto address = parse_address(text);
    if (!address) return address.error();
    parsed.push_back(*address);
  }
  std::vector<Listener> listeners;
  for (const Address& address : parsed) {
    const bool ipv6_only = same_port_in_ipv4(parsed, address.port);
    auto listener = Listener::open(address, backlog, owner, ipv6_only);
    if (!listener) return listener.error();
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

}  // namespace forklift
