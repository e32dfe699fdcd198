#include "worker/loop/signals.h"

#include <cstdlib>

#include "worker/loop/event_loop.h"

namespace forklift {

SignalWatch::SignalWatch(EventLoop& loop, int signal, SignalListener& listener) : listener_(listener) {
  if (uv_signal_init(loop.raw(), handle_.get()) != 0) std::abort();
  handle_.opened(this);
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
  const int refused = uv_signal_start(
      handle_.get(),
      [](uv_signal_t* handle, int caught) {
        static_cast<SignalWatch*>(handle->data)->listener_.signalled(caught);
      },
      signal);
  if (refused != 0) std::abort();
}

}  // namespace forklift
