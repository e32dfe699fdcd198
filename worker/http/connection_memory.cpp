#include <string>
#include <utility>

#include "worker/http/connection.h"

namespace forklift {

/// Which, in words; nullptr: for none.
const char* Connection::waits_for_memory() const {
  if (services_.uploads.slabs.waits(*this)) return "the memory for buffers (--buffer-memory)";
  return exchange_.sink == nullptr ? nullptr : exchange_.sink->waits_for_memory();
}

/// Others hold the memory, so this holds no slab of theirs, or only while most of them are free.
Flow Connection::wait_for_memory() {
  if (memory_since_ == TimePoint() || moved_this_turn_ > 0) memory_since_ = services_.loop.now();
  const bool fits_aside = set_input_aside(phase_ == Phase::kReceive);
  return fits_aside ? Flow::kWaitDisk : give_up_waiting();
}

Flow Connection::give_up_waiting() {
  memory_since_ = TimePoint();
  const char* waited_for = waits_for_memory();
  const std::string full = waited_for == nullptr ? "its memory" : waited_for;
  services_.uploads.slabs.forget(*this);
  const bool can_be_told = phase_ == Phase::kHead || phase_ == Phase::kReceive || phase_ == Phase::kFinish;
  if (!can_be_told) return Flow::kDone;
  const Flow flow =
      refuse({503, "busy", "Other requests hold all of " + full + " of this worker; try again later.", {}});
  owner_.failed({ErrorCode::kNoMemory, "waiting for memory"}, exchange_.request_id.view());
  return flow;
}

/// Nobody should work for who has left.
bool Connection::minds_hang_up() const {
  return memory_since_ != TimePoint() || (phase_ == Phase::kList && waits_for_ == Flow::kWaitDisk);
}

/// Who has only stopped sending may still read its answer: it is waited for as long as its request may be
/// here, unread. Where that can't be told, it is told to come again.
void Connection::check_hang_up() {
  const Socket::HangUp left = socket_.hang_up();
  if (left.reset) return abandon();
  if (!left.half_closed) return;
  half_closed_ = true;
  socket_.want(Interest::kNone);
  const std::size_t here = left.unread_bytes + input_.size() + set_aside_.size();
  if (phase_ == Phase::kHead || phase_ == Phase::kLinger) {
    if (here == 0) abandon();
  } else if (phase_ == Phase::kReceive && parser_.head().chunked) {
    if (here == 0) return abandon();
    park(give_up_waiting());
  } else if (phase_ == Phase::kReceive && here < exchange_.body_left) {
    abandon();
  }
}

}  // namespace forklift
