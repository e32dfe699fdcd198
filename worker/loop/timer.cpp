#include "worker/loop/timer.h"

#include <cstdlib>

#include "worker/loop/event_loop.h"

namespace forklift {

Timer::Timer(EventLoop& loop, TimerListener& listener, bool keeps_alive) : listener_(listener) {
  if (uv_timer_init(loop.raw(), handle_.get()) != 0) std::abort();
  handle_.opened(this);
  if (!keeps_alive) uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
}

void Timer::start(milliseconds every) {
  const auto period = static_cast<std::uint64_t>(every.count());
  uv_timer_start(
      handle_.get(), [](uv_timer_t* handle) { static_cast<Timer*>(handle->data)->listener_.timer_due(); },
      period, period);
}

void Timer::stop() { uv_timer_stop(handle_.get()); }

bool Timer::running() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0; }

}  // namespace forklift
