#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/privileges.h"
#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// Where to listen, as written: "127.0.0.1:8000", "localhost:8000", ":8000" (every IPv4 address),
/// "[::]:8000", "unix:/run/x.sock". Port 0: any free one.
struct Address {
  enum class Family : std::uint8_t { kIpv4, kIpv6, kName, kUnix };

  Family family = Family::kIpv4;
  std::string host;  // without brackets; the path of a unix socket
  std::uint16_t port = 0;

  bool operator==(const Address&) const = default;
};

/// The error is a sentence for the operator, naming the text and what is allowed.
Result<Address, std::string> parse_address(std::string_view text);

/// A bound, listening, non-blocking, close-on-exec socket. Owned by the master for its whole life, or by a
/// worker that runs alone. On destruction a unix socket's file goes too, if it is still ours.
class Listener {
 public:
  /// A bind that fails leaves nothing behind; the error is a sentence that names the address and the reason.
  /// No SO_REUSEPORT: a second instance must be refused, not silently share the port.
  /// `ipv6_only` as IPV6_V6ONLY, ipv6(7). A unix socket's mode is 0777 less the umask, and it is given to
  /// `owner`.
  static Result<Listener, std::string> open(const Address& address, int backlog, const Owner& owner = {},
                                            bool ipv6_only = false);

  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) noexcept = delete;
  ~Listener();

  int fd() const { return fd_.get(); }
  const Address& asked() const { return asked_; }

  /// With the real port: "http://127.0.0.1:43817", "unix:/run/x.sock".
  const std::string& url() const { return url_; }

 private:
  Listener(UniqueFd fd, Address asked, std::string url);

  UniqueFd fd_;
  Address asked_;
  std::string url_;
  dev_t device_ = 0;  // of a unix socket's file
  ino_t inode_ = 0;
};

/// All of Config::bind, in order, or the first failure. As with gunicorn, "[::]:8000" takes IPv4 as well,
/// except where the list also names an IPv4 address with that port (then both are wanted, as with nginx).
Result<std::vector<Listener>, std::string> open_listeners(const std::vector<std::string>& addresses,
                                                          int backlog, const Owner& owner = {});

}  // namespace forklift
