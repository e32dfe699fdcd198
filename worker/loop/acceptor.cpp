#include "worker/loop/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace forklift {

Acceptor::Acceptor(EventLoop& loop, int listening_fd, AcceptListener& listener)
    : listening_fd_(listening_fd), listener_(listener), readiness_(loop, listening_fd, *this) {}

void Acceptor::start() {
  started_ = true;
  resume();
}

void Acceptor::stop() {
  started_ = false;
  readiness_.want(Interest::kNone);
}

void Acceptor::resume() {
  if (started_) readiness_.want(listener_.has_room() ? Interest::kRead : Interest::kNone);
}

void Acceptor::accept_queued() {
  while (accept_one()) {
  }
}

void Acceptor::ready() {
  if (!listener_.has_room()) return readiness_.want(Interest::kNone);
  if (accept_one()) resume();
}

bool Acceptor::accept_one() {
  UniqueFd connection(::accept4(listening_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection) {
    // Out of descriptors or memory: staying armed would spin, so pause until resume().
    const bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (exhausted) readiness_.want(Interest::kNone);
    return errno == ECONNABORTED || errno == EINTR;
  }
  const int on = 1;
  (void)::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  listener_.accepted(std::move(connection));
  return true;
}

}  // namespace forklift
