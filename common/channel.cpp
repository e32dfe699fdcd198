#include "common/channel.h"

#include <sys/socket.h>

#include <cstring>

#include "common/errno_error.h"

namespace forklift {
namespace {

constexpr std::uint32_t kMagic = 0x464b4c46;

struct Packet {
  std::uint32_t magic;
  std::uint32_t kind;
  std::uint64_t value;
};
static_assert(sizeof(Packet) == 16);

bool known(std::uint32_t kind) {
  switch (static_cast<MessageKind>(kind)) {
    case MessageKind::kReady:
    case MessageKind::kDrained:
    case MessageKind::kLeaving:
    case MessageKind::kAccept:
    case MessageKind::kDrain:
    case MessageKind::kStop:
    case MessageKind::kReopen:
      return true;
  }
  return false;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> make_channel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return errno_error("socketpair");
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Result<void> send_message(int fd, Message message) {
  const Packet packet{kMagic, static_cast<std::uint32_t>(message.kind), message.value};
  ssize_t sent;
  do {
    sent = ::send(fd, &packet, sizeof packet, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return errno_error("send on the channel");
  return {};
}

Result<std::optional<Message>> receive_message(int fd) {
  Packet packet;
  ssize_t got;
  do {
    // MSG_TRUNC: the true length, so that a longer packet is not taken for a message.
    got = ::recv(fd, &packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::optional<Message>();
  if (got < 0) return errno_error("receive on the channel");
  if (got == 0) return Error{ErrorCode::kPeerGone, "receive on the channel"};
  if (got != sizeof packet || packet.magic != kMagic || !known(packet.kind)) {
    return Error{ErrorCode::kIo, "understand a message", EPROTO};
  }
  return std::optional(Message{static_cast<MessageKind>(packet.kind), packet.value});
}

}  // namespace forklift
