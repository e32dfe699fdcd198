#include "worker/loop/disk_pool.h"

#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "support/loop_support.h"

namespace forklift {
namespace {

using namespace testing;

/// What the test sees of a job, which may be gone by then.
struct Seen {
  std::thread::id ran_on;
  std::thread::id done_on;
  int runs = 0;
  int destroyed = 0;
  std::unique_ptr<DiskJob> handed_back;
};

class Job final : public DiskJob {
 public:
  Job(DiskPool& pool, Seen& seen, int runs_wanted = 1, bool hand_back = false)
      : pool_(pool), seen_(seen), runs_left_(runs_wanted), hand_back_(hand_back) {}
  ~Job() override { ++seen_.destroyed; }

  void run() override {
    seen_.ran_on = std::this_thread::get_id();
    ++seen_.runs;
  }

  void done(std::unique_ptr<DiskJob> self) override {
    seen_.done_on = std::this_thread::get_id();
    if (--runs_left_ > 0) {
      pool_.submit(std::move(self));
    } else if (hand_back_) {
      seen_.handed_back = std::move(self);
    }
  }

 private:
  DiskPool& pool_;
  Seen& seen_;
  int runs_left_;
  bool hand_back_;
};

TEST_CASE("a job runs on another thread and is done on the loop's") {
  LoopFixture f;
  DiskPool pool(f.loop);
  Seen seen;
  pool.submit(std::make_unique<Job>(pool, seen));
  CHECK(pool.in_flight() == 1);
  f.loop.run();
  CHECK(pool.in_flight() == 0);
  CHECK(seen.runs == 1);
  CHECK(seen.ran_on != std::this_thread::get_id());
  CHECK(seen.done_on == std::this_thread::get_id());
  CHECK(seen.destroyed == 1);
}

TEST_CASE("a job may keep itself when it is done") {
  LoopFixture f;
  DiskPool pool(f.loop);
  Seen seen;
  pool.submit(std::make_unique<Job>(pool, seen, 1, true));
  f.loop.run();
  CHECK(seen.destroyed == 0);
  REQUIRE(seen.handed_back != nullptr);
  pool.submit(std::move(seen.handed_back));
  f.loop.run();
  CHECK(seen.runs == 2);
  seen.handed_back.reset();
  CHECK(seen.destroyed == 1);
}

TEST_CASE("a job may submit itself again from done") {
  LoopFixture f;
  DiskPool pool(f.loop);
  Seen seen;
  pool.submit(std::make_unique<Job>(pool, seen, 5));
  f.loop.run();
  CHECK(seen.runs == 5);
  CHECK(seen.destroyed == 1);
  CHECK(pool.in_flight() == 0);
}

TEST_CASE("the loop waits for every job in flight") {
  LoopFixture f;
  DiskPool pool(f.loop);
  Seen seen[20];
  for (Seen& one : seen) pool.submit(std::make_unique<Job>(pool, one));
  CHECK(pool.in_flight() == 20);
  f.loop.run();
  for (const Seen& one : seen) CHECK(one.destroyed == 1);
}

/// Runs until its gate opens.
class GatedJob final : public DiskJob {
 public:
  GatedJob(std::shared_future<void> gate, int& done) : gate_(std::move(gate)), done_(done) {}
  void run() override { gate_.wait(); }
  void done(std::unique_ptr<DiskJob>) override { ++done_; }

 private:
  std::shared_future<void> gate_;
  int& done_;
};

TEST_CASE("slow jobs leave a thread to short ones, however many there are, and all get done") {
  LoopFixture f;
  DiskPool pool(f.loop);
  std::promise<void> gate;
  std::promise<void> open;
  open.set_value();
  const std::shared_future<void> shut = gate.get_future().share();
  const std::shared_future<void> passable = open.get_future().share();
  int slow_done = 0;
  int short_done = 0;
  for (int i = 0; i < 20; ++i) {
    pool.submit(std::make_unique<GatedJob>(shut, slow_done), DiskLane::kLong);
    pool.submit(std::make_unique<GatedJob>(shut, slow_done), DiskLane::kRead);
  }
  for (int round = 1; round <= 5; ++round) {
    pool.submit(std::make_unique<GatedJob>(passable, short_done));
    CHECK(f.run_until([&] { return short_done == round; }));
  }
  CHECK(slow_done == 0);
  gate.set_value();
  f.loop.run();
  CHECK(slow_done == 40);
  CHECK(pool.in_flight() == 0);
}

TEST_CASE("a listing waits for no queue of reads, nor a read for listings") {
  for (const DiskLane many : {DiskLane::kRead, DiskLane::kLong}) {
    LoopFixture f;
    DiskPool pool(f.loop);
    std::promise<void> gate;
    std::promise<void> open;
    open.set_value();
    const std::shared_future<void> shut = gate.get_future().share();
    int many_done = 0;
    int one_done = 0;
    for (int i = 0; i < 20; ++i) pool.submit(std::make_unique<GatedJob>(shut, many_done), many);
    f.run_for(milliseconds(10));
    pool.submit(std::make_unique<GatedJob>(open.get_future().share(), one_done),
                many == DiskLane::kRead ? DiskLane::kLong : DiskLane::kRead);
    CHECK(f.run_until([&] { return one_done == 1; }));
    CHECK(many_done == 0);
    gate.set_value();
    f.loop.run();
  }
}

}  // namespace
}  // namespace forklift
