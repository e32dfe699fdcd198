#include "worker/loop/readiness.h"

#include <cstdlib>

#include "worker/loop/event_loop.h"

namespace forklift {

Readiness::Readiness(EventLoop& loop, int fd, ReadinessListener& listener) : listener_(listener) {
  if (uv_poll_init(loop.raw(), handle_.get(), fd) != 0) std::abort();
  handle_.opened(this);
}

namespace {

int events_of(Interest interest) {
  switch (interest) {
    case Interest::kRead:
      return UV_READABLE;
    case Interest::kWrite:
      return UV_WRITABLE;
    case Interest::kHangUp:
      return UV_DISCONNECT;
    case Interest::kNone:
      break;
  }
  return 0;
}

}  // namespace

void Readiness::want(Interest interest) {
  wanted_ = interest;
  if (interest == Interest::kNone || interest == armed_) return;
  armed_ = interest;
  uv_poll_start(handle_.get(), events_of(interest), [](uv_poll_t* handle, int status, int) {
    if (handle->data != nullptr) static_cast<Readiness*>(handle->data)->on_event(status < 0);
  });
}

void Readiness::on_event(bool stopped) {
  if (stopped) {
    // libuv stops a poll that reports EPOLLERR; an owner who still waits must hear of it again.
    armed_ = Interest::kNone;
    want(wanted_);
  }
  if (wanted_ != Interest::kNone) {
    listener_.ready();
    return;
  }
  armed_ = Interest::kNone;
  uv_poll_stop(handle_.get());
}

void Readiness::disarm() {
  wanted_ = armed_ = Interest::kNone;
  uv_poll_stop(handle_.get());
}

void Readiness::do_not_keep_alive() { uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get())); }

}  // namespace forklift
