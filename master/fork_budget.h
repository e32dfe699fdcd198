#pragma once

#include <chrono>

#include "common/clock.h"

namespace forklift {

/// A token bucket over process starts: `burst` at once, kPerSecond in the long run. Owned by the Fleet.
class ForkBudget {
 public:
  static constexpr int kPerSecond = 10;

  explicit ForkBudget(int burst) : burst_(burst), tokens_(burst) {}

  /// Takes effect for what is saved up from now on.
  void set_burst(int burst) { burst_ = burst; }

  /// One process start, or false: not now.
  bool take(TimePoint now) {
    refill(now);
    if (tokens_ < 1.0) return false;
    tokens_ -= 1.0;
    return true;
  }

  /// When take() may succeed again.
  TimePoint next(TimePoint now) const {
    if (tokens_ >= 1.0) return now;
    // A millisecond more than needed: rounding must not make the caller come too early and spin.
    return now + milliseconds(1 + static_cast<int>((1.0 - tokens_) * 1000.0 / kPerSecond));
  }

 private:
  void refill(TimePoint now) {
    if (now > filled_at_ && filled_at_ != TimePoint()) {
      tokens_ += std::chrono::duration<double>(now - filled_at_).count() * kPerSecond;
    }
    if (tokens_ > burst_) tokens_ = burst_;
    filled_at_ = now;
  }

  double burst_;
  double tokens_;
  TimePoint filled_at_;
};

}  // namespace forklift
