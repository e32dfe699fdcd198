#pragma once

#include <uv.h>

#include <functional>
#include <utility>

#include "common/clock.h"
#include "support/catch.h"
#include "worker/loop/event_loop.h"
#include "worker/loop/flow.h"
#include "worker/loop/timer.h"

namespace forklift::testing {

/// A loop for one test. What the test leaves open on it fails the test.
class LoopFixture : private TimerListener {
 public:
  LoopFixture() = default;
  LoopFixture(const LoopFixture&) = delete;
  LoopFixture& operator=(const LoopFixture&) = delete;
  ~LoopFixture() { CHECK(loop.close()); }

  EventLoop loop;

  /// Turns the loop until `over()`. False: it never was, and a program would have hung.
  template <typename Over>
  bool run_until(Over over, milliseconds most = seconds(20)) {
    Timer waker(loop, *this, true);
    waker.start(milliseconds(10));
    const TimePoint deadline = Clock::now() + most;
    while (!over()) {
      if (Clock::now() > deadline) return false;
      uv_run(loop.raw(), UV_RUN_ONCE);
    }
    return true;
  }

  /// Long enough for what should not happen to happen.
  void run_for(milliseconds time) {
    (void)run_until([end = Clock::now() + time] { return Clock::now() >= end; });
  }

  void turn(int times = 1) {
    for (int i = 0; i < times; ++i) uv_run(loop.raw(), UV_RUN_NOWAIT);
  }

 private:
  void timer_due() override {}
};

/// Counts the turns of a loop as long as it lives.
class TurnCounter final : private TurnObserver {
 public:
  explicit TurnCounter(EventLoop& loop) : loop_(loop) { loop.observe_turns(this); }
  TurnCounter(const TurnCounter&) = delete;
  TurnCounter& operator=(const TurnCounter&) = delete;
  ~TurnCounter() { loop_.observe_turns(nullptr); }

  int turns = 0;

 private:
  void turn_ended() override { ++turns; }

  EventLoop& loop_;
};

/// A deferred call that does what the test says.
class DeferredCall final : public Deferred {
 public:
  explicit DeferredCall(std::function<void()> what) : what_(std::move(what)) {}
  void run_deferred() override { what_(); }

 private:
  std::function<void()> what_;
};

/// A waiter that only counts how often it was resumed.
class CountingResumer final : public Resumer {
 public:
  void resume() override { ++resumed; }
  int resumed = 0;
};

}  // namespace forklift::testing
