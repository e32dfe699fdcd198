#include "worker/upload/slab_sink.h"

#include <algorithm>
#include <utility>

#include "worker/loop/socket.h"

namespace forklift {

namespace {

/// Slabs one upload may hold: one being written, one being filled.
constexpr std::size_t kSlabsHeldMax = 2;

/// Of a body that is gathered: the first has the request's head in it.
constexpr std::size_t kSlabsGatheredMax = 3;
constexpr std::uint64_t kGatheredBytesMax = (kSlabsGatheredMax - 1) * kSlabBytes;

}  // namespace

Result<Flow> SlabSink::write(Chunk chunk) {
  if (error_) return *error_;
  take_filled();
  taken_ += chunk.size();
  if (!chunk.empty()) waiting_chunks_.push_back(std::move(chunk));
  submit_waiting();
  return may_hold_more() ? Flow::kMore : wait();
}

Result<Step> SlabSink::receive(Socket& socket, std::uint64_t limit) {
  if (error_) return *error_;
  if (!may_hold_more()) {
    submit_waiting();
    return Step{wait(), 0};
  }
  if (!acquire_filling()) {
    submit_waiting();  // what was gathered is kept from nobody
    return Step{Flow::kWaitDisk, 0};
  }
  const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit, kSlabBytes - filled_));
  const Result<Io> io = socket.receive({filling_.data() + filled_, bytes_max});
  if (!io) return io.error();
  if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
  stalled_ = io->state == Io::State::kWouldBlock;
  if (stalled_) {
    // A client that is slow to send keeps no slab from the others.
    if (filled_ == first_) filling_ = SlabRef();
    submit_waiting();
    return Step{Flow::kWaitReadable, 0};
  }
  filled_ += io->bytes;
  taken_ += io->bytes;
  if (filled_ == kSlabBytes) take_filled();
  if (io->bytes == limit) return Step{Flow::kMore, io->bytes};  // finish() is next: one step for both
  submit_waiting();
  return Step{may_hold_more() ? Flow::kMore : wait(), io->bytes};
}

Result<Flow> SlabSink::finish() {
  if (error_) return *error_;
  if (stored_) return Flow::kDone;
  finishing_ = true;
  submit_waiting();
  return wait();
}

void SlabSink::step_done(const std::optional<Error>& error, const std::optional<Stored>& stored) {
  in_flight_ = false;
  submitted_ = 0;
  error_ = error;
  stored_ = stored;
  if (!error_ && !stored_) submit_waiting();
  if (waiting_ || error_) resumer_.resume();
  waiting_ = false;
}

Flow SlabSink::wait() {
  waiting_ = true;
  return Flow::kWaitDisk;
}

bool SlabSink::acquire_filling() {
  if (filling_) return true;
  filling_ = services_.slabs.acquire(resumer_);
  first_ = filled_ = taken_ % alignment_bytes_;
  return static_cast<bool>(filling_);
}

void SlabSink::take_filled() {
  if (!filling_) return;
  SlabRef slab = std::move(filling_);
  if (filled_ > first_) waiting_chunks_.emplace_back(std::move(slab), first_, filled_ - first_);
}

void SlabSink::enqueue(std::vector<Chunk> chunks) {
  for (Chunk& chunk : chunks) {
    taken_ += chunk.size();
    waiting_chunks_.push_back(std::move(chunk));
  }
}

bool SlabSink::gathers() const {
  return gathered_ && !finishing_ && may_hold_more() && services_.slabs.plentiful();
}

bool SlabSink::may_hold_more() const {
  return waiting_chunks_.size() + submitted_ < (gathered_ ? kSlabsGatheredMax : kSlabsHeldMax);
}

void SlabSink::expect(std::optional<std::uint64_t> size) { gathered_ = size && *size <= kGatheredBytesMax; }

void SlabSink::submit_waiting() {
  if (in_flight_ || gathers()) return;
  if (partly_filled_goes()) take_filled();
  if (waiting_chunks_.empty() && !finishing_) return;
  submitted_ = waiting_chunks_.size();
  in_flight_ = true;
  start_step(std::exchange(waiting_chunks_, {}), finishing_);
}

}  // namespace forklift
