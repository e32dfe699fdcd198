#pragma once

#include <uv.h>

#include <cstdint>

#include "common/result.h"
#include "worker/loop/uv_box.h"

namespace forklift {

class EventLoop;

/// Which readiness of a descriptor its owner waits for.
enum class Interest : std::uint8_t {
  kNone,
  kRead,
  kWrite,
  kHangUp,  // the peer has closed, or half closed; bytes that can be read say nothing
};

/// Called when the awaited readiness is there, or the descriptor failed (the next operation tells how).
class ReadinessListener {
 public:
  virtual void ready() = 0;

 protected:
  ~ReadinessListener() = default;
};

/// Level-triggered readiness of one descriptor (uv_poll_t). It does not own the descriptor, which must stay
/// open as long as this lives.
class Readiness {
 public:
  Readiness(EventLoop& loop, int fd, ReadinessListener& listener);

  /// What to wait for from now on. Every change costs two epoll_ctl(2), so kNone is lazy: the poll stays
  /// armed until an event nobody wants arrives.
  void want(Interest interest);

  /// kNone at once: for a descriptor that is ready and stays so, where one more wake-up is one too many.
  void disarm();

  Interest wanted() const { return wanted_; }

  /// Lets the loop end although this waits.
  void do_not_keep_alive();

 private:
  void on_event(bool stopped);

  ReadinessListener& listener_;
  UvBox<uv_poll_t> handle_;
  Interest wanted_ = Interest::kNone;
  Interest armed_ = Interest::kNone;
};

}  // namespace forklift
