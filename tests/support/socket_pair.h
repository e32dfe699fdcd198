#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "common/unique_fd.h"
#include "support/catch.h"
#include "worker/storage/retry.h"

namespace forklift::testing {

/// Both ends of a stream: `server` non-blocking, `client` blocking, for at most ten seconds a call. What an
/// io_uring of the same thread completes interrupts the client's calls: they are made again.
struct SocketPair {
  UniqueFd server;
  UniqueFd client;
};

inline void bound_blocking(int fd) {
  const timeval ten_seconds{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten_seconds, sizeof ten_seconds);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &ten_seconds, sizeof ten_seconds);
}

inline void shrink_buffers(int fd, int bytes) {
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

/// A socket listening on a free port of the loopback, non-blocking.
class LoopbackListener {
 public:
  explicit LoopbackListener(int receive_buffer_bytes = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) shrink_buffers(fd_.get(), receive_buffer_bytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_.get(), 64) == 0);
  }

  int fd() const { return fd_.get(); }

  UniqueFd connect(int receive_buffer_bytes = 0) const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    bound_blocking(client.get());
    if (receive_buffer_bytes > 0) shrink_buffers(client.get(), receive_buffer_bytes);
    const int connected =
        retry_eintr([&] { return ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size); });
    REQUIRE((connected == 0 || errno == EISCONN));
    return client;
  }

 private:
  UniqueFd fd_;
};

inline SocketPair tcp_pair(int buffer_bytes = 0) {
  const LoopbackListener listener(buffer_bytes);
  SocketPair pair;
  pair.client = listener.connect(buffer_bytes);
  pair.server.reset(::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  REQUIRE(pair.server.valid());
  return pair;
}

inline SocketPair unix_pair() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  SocketPair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  bound_blocking(fds[1]);
  return pair;
}

/// Closes with RST.
inline void reset_connection(UniqueFd& fd) {
  const linger now{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd.reset();
}

/// Sends all of it in pieces of at most `piece_bytes`; stops where the peer goes. How many were sent.
inline std::size_t send_all(int fd, std::string_view bytes, std::size_t piece_bytes = SIZE_MAX) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const std::size_t piece = std::min(piece_bytes, bytes.size() - sent);
    const ssize_t moved = retry_eintr([&] { return ::send(fd, bytes.data() + sent, piece, MSG_NOSIGNAL); });
    if (moved <= 0) break;
    sent += static_cast<std::size_t>(moved);
  }
  return sent;
}

/// Reads until the end, or `bytes_max` bytes, in pieces of at most `piece_bytes`.
inline std::string receive_all(int fd, std::size_t bytes_max = SIZE_MAX, std::size_t piece_bytes = 65536) {
  std::string all;
  std::string piece(piece_bytes, '\0');
  while (all.size() < bytes_max) {
    const std::size_t wanted = std::min(piece_bytes, bytes_max - all.size());
    const ssize_t moved = retry_eintr([&] { return ::recv(fd, piece.data(), wanted, 0); });
    if (moved <= 0) break;
    all.append(piece.data(), static_cast<std::size_t>(moved));
  }
  return all;
}

/// A client in a thread of its own; joined when it goes.
class ClientThread {
 public:
  template <typename Work>
  explicit ClientThread(Work work) : thread_(std::move(work)) {}
  ClientThread(const ClientThread&) = delete;
  ClientThread& operator=(const ClientThread&) = delete;
  ~ClientThread() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

}  // namespace forklift::testing
