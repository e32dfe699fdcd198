#include "worker/http/accept_gate.h"

#include <algorithm>

namespace forklift {
namespace {

std::uint64_t load(const Scoreboard::Counter& counter) { return counter.load(std::memory_order_relaxed); }

}  // namespace

bool AcceptGate::lets_in(TimePoint now) {
  if (fleet_ == nullptr || ours() || now < open_until_) {
    shut_since_.reset();
    return true;
  }
  if (!shut_since_) {
    shut_since_ = now;
    remember_beats();
  }
  const auto waited = now - *shut_since_;
  if (waited < kPatience) return false;
  pass_over_who_stood_still();
  if (ours()) return true;
  if (waited < kCrowdedAfter) return false;
  open_until_ = now + kCrowdedFor;
  return true;
}

bool AcceptGate::ours() {
  const std::uint64_t own = load(own_.connections);
  const int regions = fleet_->regions();
  siblings_.resize(static_cast<std::size_t>(regions));
  for (int region = 0; region < regions; ++region) {
    if (region == fleet_->own_region() || !counts(region)) continue;
    const std::uint64_t fewer = load(fleet_->region(region).connections);
    if (own > fewer && own - fewer > fewer / 10) return false;
  }
  return true;
}

bool AcceptGate::counts(int region) {
  const Scoreboard& board = fleet_->region(region);
  if (board.version.load(std::memory_order_acquire) != kScoreboardVersion) return false;
  if (board.state.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(WorkerState::kServing)) {
    return false;
  }
  Sibling& sibling = siblings_[static_cast<std::size_t>(region)];
  if (sibling.passed_over) sibling.passed_over = sibling.beats == load(board.beats);
  return !sibling.passed_over;
}

void AcceptGate::remember_beats() {
  for (std::size_t region = 0; region < siblings_.size(); ++region) {
    siblings_[region].beats = load(fleet_->region(static_cast<int>(region)).beats);
  }
}

/// With more connections than this worker, one has no reason to turn.
void AcceptGate::pass_over_who_stood_still() {
  const std::uint64_t own = load(own_.connections);
  for (std::size_t region = 0; region < siblings_.size(); ++region) {
    const Scoreboard& board = fleet_->region(static_cast<int>(region));
    if (load(board.connections) >= own || load(board.beats) != siblings_[region].beats) continue;
    siblings_[region].passed_over = true;
  }
}

}  // namespace forklift
