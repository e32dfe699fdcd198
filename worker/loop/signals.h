#pragma once

#include <uv.h>

#include "worker/loop/uv_box.h"

namespace forklift {

class EventLoop;

/// Called on the loop thread, some time after the signal.
class SignalListener {
 public:
  virtual void signalled(int signal) = 0;

 protected:
  ~SignalListener() = default;
};

/// Watches one signal. Does not keep the loop alive.
class SignalWatch {
 public:
  SignalWatch(EventLoop& loop, int signal, SignalListener& listener);

 private:
  SignalListener& listener_;
  UvBox<uv_signal_t> handle_;
};

}  // namespace forklift
