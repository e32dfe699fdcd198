#include "worker/http/accept_gate.h"

#include <algorithm>

namespace forklift {
namespace {

std::uint64_t load(const Scoreboard::Counter& counter) { return counter.load(std::memory_order_relaxed); }

}  // namespace

bool AcceptGate::lets_in(TimePoint now) {
  if (fleet_ == nullptr || siblings_with_fewer() == 0) {
    nobody_waits();
    return true;
  }
  look_who_turns(now);
  const int with_fewer = siblings_with_fewer();
  return with_fewer == 0 || crowded(now, with_fewer);
}

int AcceptGate::siblings_with_fewer() {
  const std::uint64_t own = load(own_.connections);
  const int regions = fleet_->regions();
  siblings_.resize(static_cast<std::size_t>(regions));
  int count = 0;
  for (int region = 0; region < regions; ++region) {
    if (region == fleet_->own_region() || !counts(region)) continue;
    const std::uint64_t fewer = load(fleet_->region(region).connections);
    if (own > fewer && own - fewer > fewer / 10) ++count;
  }
  return count;
}

bool AcceptGate::counts(int region) const {
  const Scoreboard& board = fleet_->region(region);
  if (board.version.load(std::memory_order_acquire) != kScoreboardVersion) return false;
  if (board.state.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(WorkerState::kServing)) {
    return false;
  }
  const Sibling& sibling = siblings_[static_cast<std::size_t>(region)];
  return sibling.stood_still < kPatience || sibling.beats != load(board.beats);
}

void AcceptGate::look_who_turns(TimePoint now) {
  if (!shut_since_) shut_since_ = looked_ = now;
  for (std::size_t region = 0; region < siblings_.size(); ++region) {
    Sibling& sibling = siblings_[region];
    const std::uint64_t beats = load(fleet_->region(static_cast<int>(region)).beats);
    if (sibling.beats != beats) {
      sibling = {beats, {}};
    } else {
      sibling.stood_still += now - looked_;
    }
  }
  looked_ = now;
}

bool AcceptGate::crowded(TimePoint now, int with_fewer) {
  const auto waited = now - *shut_since_;
  if (waited >= kOpenAfter) return true;
  if (waited < kCrowdedAfter + (with_fewer - 1) * kCrowdedStep || now < next_if_crowded_) return false;
  next_if_crowded_ = now + kCrowdedStep;
  return true;
}

}  // namespace forklift
