#include "worker/loop/event_loop.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "support/loop_support.h"

namespace forklift {
namespace {

using namespace testing;

TEST_CASE("deferred calls run in the order they were queued, not at once") {
  LoopFixture f;
  std::string order;
  DeferredCall a([&] { order += 'a'; });
  DeferredCall b([&] { order += 'b'; });
  DeferredCall c([&] { order += 'c'; });
  f.loop.defer(b);
  f.loop.defer(a);
  f.loop.defer(c);
  CHECK(order.empty());
  f.loop.run();
  CHECK(order == "bac");
}

TEST_CASE("a call deferred twice runs once, and may be deferred again afterwards") {
  LoopFixture f;
  int calls = 0;
  DeferredCall call([&] { ++calls; });
  f.loop.defer(call);
  f.loop.defer(call);
  f.loop.run();
  CHECK(calls == 1);
  f.loop.defer(call);
  f.loop.run();
  CHECK(calls == 2);
}

TEST_CASE("what is deferred by a deferred call waits for the next turn") {
  LoopFixture f;
  TurnCounter counter(f.loop);
  int calls = 0;
  DeferredCall again([&] {
    if (++calls < 5) f.loop.defer(again);
  });
  f.loop.defer(again);
  f.turn();
  CHECK(calls == 1);
  f.loop.run();
  CHECK(calls == 5);
  CHECK(counter.turns >= 5);
}

TEST_CASE("a destroyed deferred call is not made") {
  LoopFixture f;
  int calls = 0;
  auto first = std::make_unique<DeferredCall>([&] { ++calls; });
  auto middle = std::make_unique<DeferredCall>([&] { ++calls; });
  DeferredCall destroyer([&] { first.reset(); });
  DeferredCall last([&] { ++calls; });
  f.loop.defer(destroyer);
  f.loop.defer(*first);
  f.loop.defer(*middle);
  f.loop.defer(last);
  middle.reset();
  f.loop.run();
  CHECK(calls == 1);
}

TEST_CASE("a call that defers itself does not run on when it destroys the last of its turn") {
  LoopFixture f;
  int calls = 0;
  std::optional<DeferredCall> last;
  last.emplace([] {});
  DeferredCall forever([&] {
    last.reset();
    if (++calls < 1000) f.loop.defer(forever);
  });
  f.loop.defer(forever);
  f.loop.defer(*last);
  f.turn();
  CHECK(calls == 1);
}

TEST_CASE("a deferred call may destroy itself") {
  LoopFixture f;
  std::unique_ptr<DeferredCall> self;
  int calls = 0;
  self = std::make_unique<DeferredCall>([&] {
    ++calls;
    const auto gone = std::move(self);
  });
  f.loop.defer(*self);
  f.loop.run();
  CHECK(calls == 1);
  CHECK(self == nullptr);
}

TEST_CASE("a loop that goes forgets the calls still queued") {
  DeferredCall call([] { FAIL("called"); });
  LoopFixture f;
  f.loop.defer(call);
}

/// Defers a call at the end of the first turn.
struct DeferringObserver final : TurnObserver {
  explicit DeferringObserver(EventLoop& loop) : loop_(loop) { loop.observe_turns(this); }
  void turn_ended() override {
    if (++turns == 1) loop_.defer(call);
  }
  EventLoop& loop_;
  int turns = 0;
  int calls = 0;
  DeferredCall call{[this] { ++calls; }};
};

TEST_CASE("the observer hears of every turn after its deferred calls, and what it defers wakes the loop") {
  LoopFixture f;
  {
    DeferringObserver observer(f.loop);
    int turns_before = -1;
    DeferredCall call([&] { turns_before = observer.turns; });
    f.loop.defer(call);
    REQUIRE(f.run_until([&] { return observer.calls == 1; }, seconds(5)));
    CHECK(turns_before == 0);
    f.loop.observe_turns(nullptr);
    const int turns = observer.turns;
    f.turn(3);
    CHECK(observer.turns == turns);
  }
}

TEST_CASE("stop ends a loop that has work left") {
  LoopFixture f;
  DeferredCall forever([&] { f.loop.defer(forever); });
  DeferredCall stop([&] { f.loop.stop(); });
  f.loop.defer(forever);
  f.loop.defer(stop);
  f.loop.run();
}

TEST_CASE("close tells of a handle that was left open") {
  EventLoop loop;
  auto* timer = new uv_timer_t;
  uv_timer_init(loop.raw(), timer);
  CHECK_FALSE(loop.close());
  uv_close(reinterpret_cast<uv_handle_t*>(timer),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
  CHECK(loop.close());
}

TEST_CASE("close waits for a thread of the pool that is on its way back") {
  EventLoop loop;
  uv_work_t work;
  REQUIRE(uv_queue_work(
              loop.raw(), &work, [](uv_work_t*) { std::this_thread::sleep_for(milliseconds(50)); },
              [](uv_work_t*, int) {}) == 0);
  CHECK(loop.close());
}

TEST_CASE("the loop's time is the monotonic clock's") {
  LoopFixture f;
  f.turn();
  const auto difference = Clock::now() - f.loop.now();
  CHECK(difference >= milliseconds(-2));
  CHECK(difference < seconds(5));
}

}  // namespace
}  // namespace forklift
