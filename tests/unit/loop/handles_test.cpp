#include <signal.h>

#include <memory>

#include "support/loop_support.h"
#include "worker/loop/signals.h"
#include "worker/loop/timer.h"
#include "worker/loop/uv_box.h"

namespace forklift {
namespace {

using namespace testing;

/// Dies in its own timer's callback.
class Mayfly final : private TimerListener {
 public:
  Mayfly(EventLoop& loop, std::unique_ptr<Mayfly>& self, int& calls)
      : self_(self), calls_(calls), timer_(loop, *this, true) {
    timer_.start(milliseconds(1));
  }

 private:
  void timer_due() override {
    ++calls_;
    self_.reset();
  }

  std::unique_ptr<Mayfly>& self_;
  int& calls_;
  Timer timer_;
};

TEST_CASE("an owner may die inside its own handle's callback") {
  LoopFixture f;
  std::unique_ptr<Mayfly> mayfly;
  int calls = 0;
  mayfly = std::make_unique<Mayfly>(f.loop, mayfly, calls);
  f.loop.run();
  CHECK(calls == 1);
  CHECK(mayfly == nullptr);
}

TEST_CASE("a handle that was never opened is freed without the loop") {
  LoopFixture f;
  const UvBox<uv_timer_t> box;
  CHECK(box.get() != nullptr);
}

TEST_CASE("a handle outlives its box until the loop has closed it") {
  LoopFixture f;
  uv_timer_t* raw = nullptr;
  {
    UvBox<uv_timer_t> box;
    raw = box.get();
    uv_timer_init(f.loop.raw(), raw);
    int owner = 0;
    box.opened(&owner);
    CHECK(raw->data == &owner);
  }
  CHECK(raw->data == nullptr);
  CHECK(uv_is_closing(reinterpret_cast<uv_handle_t*>(raw)) != 0);
}

struct TimerCount final : TimerListener {
  void timer_due() override { ++due; }
  int due = 0;
};

TEST_CASE("a timer repeats until it is stopped") {
  LoopFixture f;
  TimerCount count;
  Timer timer(f.loop, count, true);
  CHECK_FALSE(timer.running());
  timer.start(milliseconds(2));
  CHECK(timer.running());
  REQUIRE(f.run_until([&] { return count.due >= 3; }));
  timer.stop();
  CHECK_FALSE(timer.running());
  const int due = count.due;
  f.run_for(milliseconds(30));
  CHECK(count.due == due);
}

TEST_CASE("a timer that keeps nothing alive lets the loop end") {
  LoopFixture f;
  TimerCount count;
  Timer timer(f.loop, count, false);
  timer.start(seconds(3600));
  f.loop.run();
  CHECK(count.due == 0);
}

struct SignalLog final : SignalListener {
  void signalled(int number) override { last = number; }
  int last = 0;
};

TEST_CASE("a watched signal is told on the loop, and one nobody watches any more is the system's again") {
  LoopFixture f;
  SignalLog log;
  {
    SignalWatch watch(f.loop, SIGUSR1, log);
    ::raise(SIGUSR1);
    CHECK(log.last == 0);
    CHECK(f.run_until([&] { return log.last == SIGUSR1; }));
    f.loop.run();
  }
  struct sigaction now {};
  ::sigaction(SIGUSR1, nullptr, &now);
  CHECK(now.sa_handler == SIG_DFL);
}

}  // namespace
}  // namespace forklift
