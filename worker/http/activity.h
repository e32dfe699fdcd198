#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace forklift {

/// What one connection was doing when it last began to run or parked. Written by the loop's thread, read by
/// the signal handler that dumps a stuck worker: atomics only, texts are literals.
struct Activity {
  std::atomic<const char*> phase{nullptr};      // nullptr: no connection has this line
  std::atomic<const char*> waits_for{nullptr};  // nullptr: it was running
  std::atomic<const char*> strategy{nullptr};   // nullptr: none
  std::atomic<std::uint32_t> strategy_size{0};
  std::atomic<std::uint64_t> received{0};  // body bytes of the request
  std::atomic<std::uint64_t> sent{0};      // body bytes of the answer
};

/// The lines of a worker's connections, in memory that does not move. Owned by the worker's main; connections
/// beyond the last line go without one.
class ActivityBoard {
 public:
  static constexpr std::size_t kLines = 1024;

  const std::array<Activity, kLines>& lines() const { return lines_; }

 private:
  friend class ActivityLine;
  Activity* take() {
    for (std::size_t tried = 0; tried < kLines; ++tried) {
      Activity& line = lines_[next_++ % kLines];
      if (line.phase.load(std::memory_order_relaxed) == nullptr) return &line;
    }
    return nullptr;
  }

  std::array<Activity, kLines> lines_;
  std::size_t next_ = 0;
};

/// One connection's line, from its accept to its end.
class ActivityLine {
 public:
  explicit ActivityLine(ActivityBoard* board) : line_(board == nullptr ? nullptr : board->take()) {
    set("new", nullptr, {}, 0, 0);
  }
  ActivityLine(const ActivityLine&) = delete;
  ActivityLine& operator=(const ActivityLine&) = delete;
  ~ActivityLine() {
    if (line_ != nullptr) line_->phase.store(nullptr, std::memory_order_relaxed);
  }

  /// The texts live for ever.
  void set(const char* phase, const char* waits_for, std::string_view strategy, std::uint64_t received,
           std::uint64_t sent) {
    if (line_ == nullptr) return;
    constexpr auto kOrder = std::memory_order_relaxed;
    line_->phase.store(phase, kOrder);
    line_->waits_for.store(waits_for, kOrder);
    line_->strategy.store(strategy.data(), kOrder);
    line_->strategy_size.store(static_cast<std::uint32_t>(strategy.size()), kOrder);
    line_->received.store(received, kOrder);
    line_->sent.store(sent, kOrder);
  }

 private:
  Activity* line_;
};

}  // namespace forklift
