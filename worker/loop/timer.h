#pragma once

#include <uv.h>

#include "common/clock.h"
#include "worker/loop/uv_box.h"

namespace forklift {

class EventLoop;

/// Called when a Timer is due. Loop thread.
class TimerListener {
 public:
  virtual void timer_due() = 0;

 protected:
  ~TimerListener() = default;
};

/// A repeating timer on the loop. Stopped until start(); `keeps_alive` false lets the loop end beneath it.
class Timer {
 public:
  Timer(EventLoop& loop, TimerListener& listener, bool keeps_alive);

  void start(milliseconds every);
  void stop();
  bool running() const;

 private:
  TimerListener& listener_;
  UvBox<uv_timer_t> handle_;
};

}  // namespace forklift
