// When a worker sweeps what dead workers left.

#include <uv.h>

#include <chrono>

#include "support/strategy_fixture.h"
#include "worker/upload/sweeper.h"

namespace forklift {
namespace {

using namespace testing;
using std::chrono::hours;

/// A part whose writer is gone, an hour old.
void leave_old_part(const fs::path& root, const char* session) {
  const fs::path directory = root / ".forklift" / "parts" / session;
  fs::create_directory(directory);
  write_file(directory / "1", "half");
  fs::last_write_time(directory / "1", fs::file_time_type::clock::now() - hours(1));
}

/// Makes every timer that waits longer than a test does due at once. How many there were.
int hurry_timers(EventLoop& loop) {
  int hurried = 0;
  const auto hurry = [](uv_handle_t* handle, void* count) {
    if (handle->type != UV_TIMER || uv_is_active(handle) == 0) return;
    auto* timer = reinterpret_cast<uv_timer_t*>(handle);
    if (uv_timer_get_repeat(timer) < 60'000) return;
    ++*static_cast<int*>(count);
    const std::uint64_t period = uv_timer_get_repeat(timer);
    uv_timer_set_repeat(timer, 1);
    uv_timer_again(timer);
    uv_timer_set_repeat(timer, period);
  };
  uv_walk(loop.raw(), hurry, &hurried);
  return hurried;
}

TEST_CASE("a sweeper sweeps when it starts, and again and again") {
  ContractFixture f;
  Sweeper sweeper(f.loop(), f.uploads, std::chrono::minutes(10));
  leave_old_part(f.root, "one");
  sweeper.start();
  REQUIRE(f.turns.run_until([&] { return parts_in(f.root).empty(); }));
  for (const char* later : {"two", "three"}) {
    leave_old_part(f.root, later);
    REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
    f.turns.turn();
    CHECK(parts_in(f.root).size() == 1);
    CHECK(hurry_timers(f.loop()) == 1);
    CHECK(f.turns.run_until([&] { return parts_in(f.root).empty(); }, seconds(5)));
  }
}

TEST_CASE("a sweeper leaves what is younger than it was told") {
  ContractFixture f;
  Sweeper sweeper(f.loop(), f.uploads, hours(2));
  leave_old_part(f.root, "young");
  sweeper.start();
  REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
  CHECK(parts_in(f.root).size() == 1);
}

}  // namespace
}  // namespace forklift
