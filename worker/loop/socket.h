#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"
#include "worker/loop/readiness.h"

namespace forklift {

/// What one non-blocking operation on a socket did.
struct Io {
  enum class State : std::uint8_t {
    kMoved,       // `bytes` > 0 were moved
    kWouldBlock,  // nothing yet: wait for readiness
    kEnd,         // receive only: the peer has sent its last byte
  };
  State state;
  std::size_t bytes = 0;
};

/// One accepted, non-blocking stream socket and its readiness. Owned by its connection. Operations are tried
/// first; readiness is awaited only after kWouldBlock. Errors of the peer (reset, gone) are kPeerGone.
class Socket {
 public:
  Socket(EventLoop& loop, UniqueFd fd, ReadinessListener& listener)
      : fd_(std::move(fd)), readiness_(loop, fd_.get(), listener) {}

  Result<Io> receive(std::span<std::byte> into);

  /// send(2). `more_follows` sets MSG_MORE, so that a head and the start of its body share a packet.
  Result<Io> send(std::span<const std::byte> bytes, bool more_follows = false);

  void want(Interest interest) { readiness_.want(interest); }

  /// How the peer left, as Interest::kHangUp reports it.
  struct HangUp {
    bool reset = false;            // nothing that is sent reaches it any more
    bool half_closed = false;      // it sends nothing more, but may read
    std::size_t unread_bytes = 0;  // what it sent before and receive() would give
  };
  HangUp hang_up() const;

  /// Sends FIN; receiving goes on (lingering close).
  void shut_down_sending();

  /// "192.0.2.7", "2001:db8::7"; empty for a unix socket. Without the port.
  std::string peer_address() const;

  /// The descriptor where bytes may be moved past this class (splice, sendfile); empty when the bytes are
  /// not plain on the wire.
  std::optional<int> plain_fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;  // before readiness_: the poll must end before the descriptor closes
  Readiness readiness_;
};

}  // namespace forklift
