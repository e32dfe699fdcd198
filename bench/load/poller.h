#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift::load {

/// Something with a descriptor in a Poller. It must not go while the Poller hands out events.
class Pollable {
 public:
  /// `events` as of epoll_ctl(2).
  virtual void ready(std::uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

/// epoll(7), level-triggered, that sleeps to the nanosecond: a load generator that wakes a millisecond late
/// measures itself.
class Poller {
 public:
  static Result<Poller> open();

  Result<void> add(int fd, std::uint32_t events, Pollable& pollable);
  void change(int fd, std::uint32_t events, Pollable& pollable);

  /// Sleeps for at most so long, and calls ready() of those that are.
  Result<void> wait(std::chrono::nanoseconds at_most);

 private:
  explicit Poller(UniqueFd epoll) : epoll_(std::move(epoll)) {}

  UniqueFd epoll_;
};

}  // namespace forklift::load
