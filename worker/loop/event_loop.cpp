#include "worker/loop/event_loop.h"

#include <uv.h>

#include <cstdlib>

#include "worker/loop/uv_box.h"

namespace forklift {

namespace {

bool has_handles(uv_loop_t& loop) {
  bool any = false;
  uv_walk(
      &loop, [](uv_handle_t*, void* found) { *static_cast<bool*>(found) = true; }, &any);
  return any;
}

}  // namespace

struct EventLoop::State {
  uv_loop_t loop;
  std::unique_ptr<UvBox<uv_idle_t>> idle;
  std::unique_ptr<UvBox<uv_prepare_t>> prepare;
  Deferred* head = nullptr;
  Deferred* tail = nullptr;
  unsigned turn = 0;  // of deferred calls
  TurnObserver* observer = nullptr;
  bool closed = false;
};

Deferred::~Deferred() {
  if (loop_ != nullptr) loop_->unlink(*this);
}

EventLoop::EventLoop() : state_(std::make_unique<State>()) {
  if (uv_loop_init(&state_->loop) != 0) std::abort();
  state_->idle = std::make_unique<UvBox<uv_idle_t>>();
  uv_idle_init(&state_->loop, state_->idle->get());
  state_->idle->opened(this);
  state_->prepare = std::make_unique<UvBox<uv_prepare_t>>();
  uv_prepare_init(&state_->loop, state_->prepare->get());
  state_->prepare->opened(this);
  uv_prepare_start(state_->prepare->get(),
                   [](uv_prepare_t* handle) { static_cast<EventLoop*>(handle->data)->end_turn(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(state_->prepare->get()));
}

EventLoop::~EventLoop() {
  while (state_->head != nullptr) unlink(*state_->head);
  (void)close();
}

void EventLoop::run() { uv_run(&state_->loop, UV_RUN_DEFAULT); }

void EventLoop::stop() { uv_stop(&state_->loop); }

void EventLoop::defer(Deferred& deferred) {
  if (deferred.loop_ != nullptr) return;
  deferred.loop_ = this;
  deferred.queued_in_turn_ = state_->turn;
  deferred.previous_ = state_->tail;
  (state_->tail == nullptr ? state_->head : state_->tail->next_) = &deferred;
  state_->tail = &deferred;
  uv_idle_start(state_->idle->get(),
                [](uv_idle_t* handle) { static_cast<EventLoop*>(handle->data)->run_all_deferred(); });
}

void EventLoop::unlink(Deferred& deferred) {
  (deferred.previous_ == nullptr ? state_->head : deferred.previous_->next_) = deferred.next_;
  (deferred.next_ == nullptr ? state_->tail : deferred.next_->previous_) = deferred.previous_;
  deferred.loop_ = nullptr;
  deferred.previous_ = deferred.next_ = nullptr;
}

void EventLoop::run_all_deferred() {
  // What is queued while this runs waits for the next turn, so that sockets get theirs in between.
  const unsigned turn = state_->turn++;
  while (state_->head != nullptr && state_->head->queued_in_turn_ == turn) {
    Deferred& next = *state_->head;
    unlink(next);
    next.run_deferred();
  }
  if (state_->head == nullptr) uv_idle_stop(state_->idle->get());
}

void EventLoop::observe_turns(TurnObserver* observer) { state_->observer = observer; }

void EventLoop::end_turn() {
  if (state_->observer != nullptr) state_->observer->turn_ended();
}

TimePoint EventLoop::now() const { return TimePoint(std::chrono::milliseconds(uv_now(&state_->loop))); }

bool EventLoop::close() {
  if (state_->closed) return true;
  state_->observer = nullptr;
  state_->idle->close();
  state_->prepare->close();
  // A handle closes in the turn after uv_close; closing one may close another.
  for (int turn = 0; turn < 4 && uv_run(&state_->loop, UV_RUN_NOWAIT) != 0; ++turn) {
  }
  // A thread of libuv's pool touches the loop once more when its work is over.
  while (!has_handles(state_->loop) && uv_run(&state_->loop, UV_RUN_ONCE) != 0) {
  }
  state_->closed = uv_loop_close(&state_->loop) == 0;
  return state_->closed;
}

uv_loop_t* EventLoop::raw() const { return &state_->loop; }

}  // namespace forklift
