#pragma once

#include <memory>

#include "common/clock.h"

typedef struct uv_loop_s uv_loop_t;

namespace forklift {

class EventLoop;

/// Something that wants a call in the next loop turn. Owned by whoever embeds it; when it goes, its pending
/// call goes with it.
class Deferred {
 public:
  Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual void run_deferred() = 0;

 protected:
  ~Deferred();

 private:
  friend class EventLoop;
  EventLoop* loop_ = nullptr;  // set while queued
  unsigned queued_in_turn_ = 0;
  Deferred* previous_ = nullptr;
  Deferred* next_ = nullptr;
};

/// Called once a turn, after every callback of the turn and before the loop sleeps.
class TurnObserver {
 public:
  virtual void turn_ended() = 0;

 protected:
  ~TurnObserver() = default;
};

/// One libuv loop: the whole worker runs in its thread. Everything made on it must be gone before it goes;
/// close() proves that.
class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  /// Runs until nothing keeps the loop alive, or stop().
  void run();
  void stop();

  /// Queues a call for the next turn; the loop does not sleep before it. Queued twice is once.
  void defer(Deferred& deferred);

  /// At most one observer; it outlives the loop's last turn or is replaced by nullptr.
  void observe_turns(TurnObserver* observer);

  /// The loop's cached CLOCK_MONOTONIC, one reading a turn.
  TimePoint now() const;

  /// Lets closing handles finish, and the threads of libuv's pool leave the loop. True if nothing was left
  /// open (uv_loop_close(3) == 0). Tests end with it.
  [[nodiscard]] bool close();

  uv_loop_t* raw() const;

 private:
  friend class Deferred;
  struct State;
  void run_all_deferred();
  void end_turn();
  void unlink(Deferred& deferred);

  std::unique_ptr<State> state_;
};

}  // namespace forklift
