#pragma once

#include "common/unique_fd.h"
#include "worker/loop/readiness.h"

namespace forklift {

/// Called with each accepted connection: non-blocking, close-on-exec, TCP_NODELAY where it is TCP.
class AcceptListener {
 public:
  virtual void accepted(UniqueFd connection) = 0;

  /// Whether another connection fits now. While not, the acceptor does not poll; call Acceptor::resume().
  virtual bool has_room() const = 0;

 protected:
  ~AcceptListener() = default;
};

/// Accepts from one listening socket that it does not own (the master's, or the lone worker's). One
/// connection a wake-up, so that sibling workers polling the same socket get their share.
class Acceptor final : private ReadinessListener {
 public:
  Acceptor(EventLoop& loop, int listening_fd, AcceptListener& listener);

  void start();

  /// Stops polling; what waits in the queue stays there for the siblings.
  void stop();

  /// Takes up accepting again after has_room() said no, or descriptors ran out. No-op while stopped.
  void resume();

  /// Accepts all that is queued now (a worker that stops and has no siblings answers these).
  void accept_queued();

 private:
  void ready() override;
  bool accept_one();

  int listening_fd_;
  AcceptListener& listener_;
  Readiness readiness_;
  bool started_ = false;
};

}  // namespace forklift
