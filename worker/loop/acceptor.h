#pragma once

#include "common/unique_fd.h"
#include "worker/loop/readiness.h"
#include "worker/loop/timer.h"

namespace forklift {

/// Called with each accepted connection: non-blocking, close-on-exec, TCP_NODELAY where it is TCP.
class AcceptListener {
 public:
  virtual void accepted(UniqueFd connection) = 0;

  /// Whether another connection fits now. While not, the acceptor does not poll; call Acceptor::resume().
  virtual bool has_room() const = 0;

  /// A connection waits: whether to take it, or to leave it to a sibling. Asked again every few
  /// milliseconds as long as it waits.
  virtual bool lets_in() = 0;

  /// What waited has been taken by a sibling.
  virtual void nobody_waits() = 0;

 protected:
  ~AcceptListener() = default;
};

/// Accepts from one listening socket that it does not own (the master's, or the lone worker's). One
/// connection a wake-up, so that sibling workers polling the same socket get their share. A connection that
/// is left to a sibling is not polled for meanwhile, but looked after until none waits or its listener lets
/// all in; with no connection waiting there are no wake-ups.
class Acceptor final : private ReadinessListener, private TimerListener {
 public:
  Acceptor(EventLoop& loop, int listening_fd, AcceptListener& listener);

  void start();

  /// Stops polling; what waits in the queue stays there for the siblings.
  void stop();

  /// Takes up accepting again after has_room() said no, or descriptors ran out; asks lets_in() before its
  /// time. No-op while stopped.
  void resume();

  /// For the last holder of the socket, who closes it next: lets nobody new connect and accepts all that is
  /// queued. Who comes later hears nothing until the socket is closed, and then that it is.
  void accept_last();

 private:
  void ready() override;
  void timer_due() override;  // the nap is over
  void wake();
  bool connection_waits() const;
  bool accept_one();

  int listening_fd_;
  AcceptListener& listener_;
  Readiness readiness_;
  Timer nap_;  // runs while a connection is left to a sibling
  bool started_ = false;
};

}  // namespace forklift
