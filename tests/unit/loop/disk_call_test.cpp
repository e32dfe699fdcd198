#include "worker/loop/disk_call.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "support/loop_support.h"

namespace forklift {
namespace {

using namespace testing;

TEST_CASE("a call on the disk pool has an outcome once it has returned, on the loop's thread") {
  LoopFixture turns;
  CountingResumer resumer;
  {
    DiskPool disk(turns.loop);
    std::thread::id ran_on;
    const DiskCall<std::string> good(disk, resumer, [&ran_on]() -> Result<std::string> {
      ran_on = std::this_thread::get_id();
      return std::string("done");
    });
    const DiskCall<std::string> bad(disk, resumer, []() -> Result<std::string> {
      return Error{ErrorCode::kBusy, "test"};
    });
    CHECK_FALSE(good.outcome());
    REQUIRE(turns.run_until([&] { return resumer.resumed == 2; }));
    REQUIRE(good.outcome());
    CHECK(good.outcome()->value() == "done");
    CHECK(bad.outcome()->error().code == ErrorCode::kBusy);
    CHECK(ran_on != std::this_thread::get_id());
  }
}

TEST_CASE("whoever leaves before a call returns is told nothing, and the call still frees what it owns") {
  LoopFixture turns;
  CountingResumer resumer;
  const auto owned = std::make_shared<int>(7);
  {
    DiskPool disk(turns.loop);
    auto call = std::make_unique<DiskCall<int>>(disk, resumer, [owned]() -> Result<int> { return *owned; });
    call.reset();
    REQUIRE(turns.run_until([&] { return disk.in_flight() == 0; }));
  }
  CHECK(resumer.resumed == 0);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a call that nobody waits for any more is told so while it runs") {
  LoopFixture turns;
  CountingResumer resumer;
  std::atomic<bool> runs{false};
  std::atomic<bool> was_told{false};
  {
    DiskPool disk(turns.loop);
    auto call = std::make_unique<DiskCall<int>>(
        disk, resumer, [&](const std::atomic<bool>& abandoned) -> Result<int> {
          runs = true;
          const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
          while (!abandoned && std::chrono::steady_clock::now() < end) std::this_thread::yield();
          was_told = abandoned.load();
          return 0;
        });
    REQUIRE(turns.run_until([&] { return runs.load(); }));
    call.reset();
    REQUIRE(turns.run_until([&] { return disk.in_flight() == 0; }));
  }
  CHECK(was_told);
}

}  // namespace
}  // namespace forklift
