#include "bench/load/poller.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/errno_error.h"

namespace forklift::load {
namespace {

constexpr std::size_t kEventsATurn = 128;

epoll_event event_of(std::uint32_t events, Pollable& pollable) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  return event;
}

}  // namespace

Result<Poller> Poller::open() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return errno_error("epoll_create1");
  if (::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) < 0) return errno_error("prctl(PR_SET_TIMERSLACK)");
  return Poller(std::move(epoll));
}

Result<void> Poller::add(int fd, std::uint32_t events, Pollable& pollable) {
  epoll_event event = event_of(events, pollable);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0) return errno_error("epoll_ctl");
  return {};
}

void Poller::change(int fd, std::uint32_t events, Pollable& pollable) {
  epoll_event event = event_of(events, pollable);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

Result<void> Poller::wait(std::chrono::nanoseconds at_most) {
  std::array<epoll_event, kEventsATurn> events;
  const std::int64_t left = std::max<std::int64_t>(at_most.count(), 0);
  const timespec limit{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  const int count =
      ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &limit, nullptr);
  if (count < 0 && errno != EINTR) return errno_error("epoll_pwait2");
  for (int index = 0; index < count; ++index) {
    const epoll_event& event = events[static_cast<std::size_t>(index)];
    static_cast<Pollable*>(event.data.ptr)->ready(event.events);
  }
  return {};
}

}  // namespace forklift::load
