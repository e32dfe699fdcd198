#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// The contract between this master and its workers: descriptors, messages, scoreboard layout. Grows with
/// any change of one of them; a reload to a worker binary that says another number is rolled back.
inline constexpr std::uint32_t kAbi = 4;

enum class MessageKind : std::uint32_t {
  // worker → master
  kReady = 1,    // everything is open, waiting for kAccept; value = kAbi
  kDrained = 2,  // after kDrain or kStop: no connection is left, about to exit
  kLeaving = 3,  // somebody else told it to go (SIGTERM): it drains as after kDrain

  // master → worker
  kAccept = 16,  // start accepting
  kDrain = 17,   // stop accepting, finish what is there, exit 0; value = milliseconds allowed, 0: no limit
  kStop = 18,    // exit at once, as clean as that allows
  kReopen = 19,  // the access log was rotated: open its path anew
};

/// One message of the channel between the master and one worker; one packet each, 16 bytes.
struct Message {
  MessageKind kind;
  std::uint64_t value = 0;

  bool operator==(const Message&) const = default;
};

/// Both ends of a new channel, non-blocking and close-on-exec. The master keeps one, a worker inherits the
/// other as kChannelFd. When either process dies the other sees the end of the channel.
Result<std::pair<UniqueFd, UniqueFd>> make_channel();

/// Never blocks, never raises SIGPIPE. kPeerGone: the other process has closed its end; EAGAIN in os_error:
/// it does not read.
Result<void> send_message(int fd, Message message);

/// The next message, or nothing when none waits. kPeerGone: the other process has closed its end. EPROTO in
/// os_error: not a message (a master stops the worker that sent it).
Result<std::optional<Message>> receive_message(int fd);

}  // namespace forklift
