#include "worker/loop/acceptor.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace forklift {
namespace {

/// How long a connection is left to a sibling before looking again: a wake-up every so often is cheap, and
/// where this worker turns out to be the one after all, its client hardly notices.
constexpr milliseconds kNap{2};

/// Whoever connects between the last accept and the close would be reset. A filter on the socket
/// (SO_ATTACH_FILTER, socket(7)) that drops SYN makes TCP ask again a second later; handshakes that have
/// begun go on. A unix socket takes no harm.
void drop_newcomers(int listening_fd) {
  constexpr std::uint32_t kFlagsOffset = 13;  // RFC 9293, 3.1
  constexpr std::uint32_t kSyn = 0x02, kAck = 0x10;
  std::array<sock_filter, 5> program{{{BPF_LD | BPF_B | BPF_ABS, 0, 0, kFlagsOffset},
                                      {BPF_ALU | BPF_AND | BPF_K, 0, 0, kSyn | kAck},
                                      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, kSyn},
                                      {BPF_RET | BPF_K, 0, 0, 0},
                                      {BPF_RET | BPF_K, 0, 0, 0xFFFFFFFF}}};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  (void)::setsockopt(listening_fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

}  // namespace

Acceptor::Acceptor(EventLoop& loop, int listening_fd, AcceptListener& listener)
    : listening_fd_(listening_fd),
      listener_(listener),
      readiness_(loop, listening_fd, *this),
      nap_(loop, *this, true) {}

void Acceptor::start() {
  started_ = true;
  resume();
}

void Acceptor::stop() {
  started_ = false;
  if (nap_.running()) listener_.nobody_waits();
  nap_.stop();
  readiness_.want(Interest::kNone);
}

void Acceptor::resume() {
  if (!started_) return;
  if (nap_.running()) return timer_due();
  wake();
}

void Acceptor::wake() {
  nap_.stop();
  readiness_.want(listener_.has_room() ? Interest::kRead : Interest::kNone);
}

void Acceptor::accept_last() {
  drop_newcomers(listening_fd_);
  while (accept_one()) {
  }
}

void Acceptor::ready() {
  if (!listener_.has_room()) return readiness_.want(Interest::kNone);
  if (!listener_.lets_in()) {
    readiness_.disarm();
    nap_.start(kNap);
  } else if (accept_one()) {
    wake();
  }
}

/// What the gate says may hold for one connection only, so each is taken here, without another wake-up.
void Acceptor::timer_due() {
  while (listener_.has_room() && connection_waits()) {
    if (!listener_.lets_in()) return;
    if (!accept_one()) break;
  }
  listener_.nobody_waits();
  wake();
}

bool Acceptor::connection_waits() const {
  pollfd queue{listening_fd_, POLLIN, 0};
  return ::poll(&queue, 1, 0) > 0;
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
