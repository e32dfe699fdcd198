#include "worker/loop/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/errno_error.h"

namespace forklift {

namespace {

Result<Io> outcome(ssize_t moved, const char* operation) {
  if (moved > 0) return Io{Io::State::kMoved, static_cast<std::size_t>(moved)};
  if (moved == 0) return Io{Io::State::kEnd};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Io{Io::State::kWouldBlock};
  return errno_error(operation);
}

template <typename Call>
ssize_t again_after_signal(Call call) {
  ssize_t moved = 0;
  do {
    moved = call();
  } while (moved < 0 && errno == EINTR);
  return moved;
}

}  // namespace

Result<Io> Socket::receive(std::span<std::byte> into) {
  return outcome(again_after_signal([&] { return ::recv(fd_.get(), into.data(), into.size(), 0); }), "recv");
}

Result<Io> Socket::send(std::span<const std::byte> bytes, bool more_follows) {
  const int flags = MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0);
  return outcome(again_after_signal([&] { return ::send(fd_.get(), bytes.data(), bytes.size(), flags); }),
                 "send");
}

Socket::HangUp Socket::hang_up() const {
  pollfd polled{fd_.get(), POLLRDHUP, 0};
  if (::poll(&polled, 1, 0) <= 0) return {};
  int unread = 0;
  if (::ioctl(fd_.get(), FIONREAD, &unread) < 0) unread = 0;
  return {.reset = (polled.revents & (POLLHUP | POLLERR)) != 0,
          .half_closed = (polled.revents & POLLRDHUP) != 0,
          .unread_bytes = static_cast<std::size_t>(unread)};
}

std::string Socket::peer_address() const {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size) < 0) return {};
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof text);
  } else if (peer.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, text, sizeof text);
  }
  return text;
}

void Socket::shut_down_sending() { ::shutdown(fd_.get(), SHUT_WR); }

}  // namespace forklift
