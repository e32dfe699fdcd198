#include "bench/load/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace forklift::load {

std::string Outcome::name() const {
  switch (kind) {
    case Kind::kOk:
      return "ok";
    case Kind::kConnect:
      return "connect";
    case Kind::kReset:
      return "reset";
    case Kind::kTimeout:
      return "timeout";
    case Kind::kStatus:
      return "status " + std::to_string(status);
    case Kind::kShortBody:
      return "short body";
    case Kind::kLongBody:
      return "long body";
    case Kind::kEarly:
      return "answered before the body was sent";
    case Kind::kMalformed:
      return "malformed";
  }
  return "";
}

bool Connection::open(int receive_buffer_bytes) {
  const sockaddr* address = reinterpret_cast<const sockaddr*>(&shared_.endpoint.address);
  fd_.reset(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) return false;
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer_bytes > 0) {
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  watched_ = EPOLLIN | EPOLLOUT;
  const bool begun = ::connect(fd_.get(), address, shared_.endpoint.size) == 0 || errno == EINPROGRESS;
  if (!begun || !shared_.poller.add(fd_.get(), watched_, *this)) {
    fd_.reset();
    return false;
  }
  phase_ = Phase::kConnecting;
  return true;
}

void Connection::ask(const Arrival& arrival, std::string head, std::string_view body,
                     std::int64_t expected_bytes) {
  arrival_ = arrival;
  arrival_pending_ = true;
  head_ = std::move(head);
  body_ = body;
  expected_bytes_ = expected_bytes;
  sent_bytes_ = 0;
  send_failed_ = false;
  reader_.next();
  if (phase_ == Phase::kOpen) send_more();
}

void Connection::allow(std::uint64_t bytes) {
  budget_bytes_ = bytes;
  if (phase_ != Phase::kClosed) watch();
}

void Connection::close() {
  fd_.reset();
  phase_ = Phase::kClosed;
}

void Connection::ready(std::uint32_t events) {
  if (phase_ == Phase::kClosed) return;
  // A connection that is over is not paced to its end: an event that nobody takes would come again at once.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) budget_bytes_ = kUnpaced;
  if (phase_ == Phase::kConnecting) {
    if (!finish_connecting()) return;
  } else if (!busy()) {
    return owner_.lost(*this);
  }
  if (busy() && !sent_whole() && !send_failed_) send_more();
  if (busy() && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) receive_more();
}

bool Connection::finish_connecting() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    if (busy()) {
      end_exchange({.kind = Outcome::Kind::kConnect});
    } else {
      owner_.lost(*this);
    }
    return false;
  }
  phase_ = Phase::kOpen;
  if (!busy()) {
    watch();
    owner_.connected(*this);
  }
  return true;
}

void Connection::send_more() {
  while (!sent_whole() && !send_failed_ && budget_bytes_ > 0) {
    const std::string_view head =
        std::string_view(head_).substr(std::min<std::uint64_t>(sent_bytes_, head_.size()));
    std::string_view body = body_.substr(sent_bytes_ - (head_.size() - head.size()));
    if (budget_bytes_ != kUnpaced) body = body.substr(0, budget_bytes_);
    std::array<iovec, 2> parts{iovec{const_cast<char*>(head.data()), head.size()},
                               iovec{const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      sent_bytes_ += static_cast<std::uint64_t>(sent);
      spend(static_cast<std::uint64_t>(sent));
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      send_failed_ = true;  // an answer may lie there all the same: receiving says what became of it
    }
  }
  watch();
}

void Connection::receive_more() {
  if (budget_bytes_ == 0) return;
  const std::size_t room =
      static_cast<std::size_t>(std::min<std::uint64_t>(shared_.scratch.size(), budget_bytes_));
  const ssize_t got = ::recv(fd_.get(), shared_.scratch.data(), room, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return server_closed(got < 0);
  shared_.bytes_read += static_cast<std::uint64_t>(got);
  spend(static_cast<std::uint64_t>(got));
  switch (reader_.feed({shared_.scratch.data(), static_cast<std::size_t>(got)})) {
    case ResponseReader::State::kComplete:
      return complete();
    case ResponseReader::State::kMalformed:
      return end_exchange({.kind = Outcome::Kind::kMalformed});
    case ResponseReader::State::kNeedMore:
      watch();
  }
}

void Connection::server_closed(bool reset) {
  if (!reset && reader_.begun() && reader_.end() == ResponseReader::State::kComplete) return complete();
  const bool cut = !reset && reader_.head_complete();
  end_exchange({.kind = cut ? Outcome::Kind::kShortBody : Outcome::Kind::kReset});
}

void Connection::complete() {
  Outcome outcome{.status = reader_.status(), .body_bytes = reader_.body_bytes()};
  const auto expected = static_cast<std::uint64_t>(expected_bytes_);
  if (outcome.status < 200 || outcome.status > 299) {
    outcome.kind = Outcome::Kind::kStatus;
  } else if (!sent_whole()) {
    outcome.kind = Outcome::Kind::kEarly;
  } else if (expected_bytes_ >= 0 && outcome.body_bytes != expected) {
    outcome.kind = outcome.body_bytes < expected ? Outcome::Kind::kShortBody : Outcome::Kind::kLongBody;
  }
  outcome.reusable = sent_whole() && reader_.keep_alive();
  end_exchange(outcome);
}

void Connection::end_exchange(Outcome outcome) {
  arrival_pending_ = false;
  if (outcome.reusable) watch();
  owner_.exchange_ended(*this, outcome);
}

void Connection::spend(std::uint64_t bytes) {
  moved_bytes_ += bytes;
  if (budget_bytes_ != kUnpaced) budget_bytes_ -= std::min(bytes, budget_bytes_);
}

void Connection::watch() {
  std::uint32_t wanted = 0;
  if (phase_ == Phase::kConnecting) wanted = EPOLLIN | EPOLLOUT;
  if (phase_ == Phase::kOpen && (budget_bytes_ > 0 || !busy())) {
    wanted = EPOLLIN;
    if (busy() && !sent_whole() && !send_failed_) wanted |= EPOLLOUT;
  }
  if (wanted == watched_) return;
  watched_ = wanted;
  shared_.poller.change(fd_.get(), wanted, *this);
}

}  // namespace forklift::load
