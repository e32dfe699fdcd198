#include "worker/storage/space.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/store_fixture.h"
#include "support/tiny_disk.h"

namespace forklift {
namespace {

using namespace testing;

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kReserve = 64 * kBlock;

/// What a worker of a fleet has of it, in this process.
struct Worker {
  ScoreboardLease lease;
  ScoreboardRegion region;
  FleetView view;
  SpaceReserve space;

  Worker(ScoreboardPool& pool, const FileStore& store)
      : lease(pool.take().value()),
        region(ScoreboardRegion::open_inherited(UniqueFd(::dup(pool.writable_fd())), lease.region()).value()),
        view(FleetView::open_inherited(UniqueFd(::dup(pool.read_only_fd())), lease.region()).value()),
        space(store, region.board(), &view, kReserve) {}

  std::uint64_t promised() { return region.board().space_promised.load(); }
  std::uint64_t asked() { return region.board().space_asked.load(); }
};

/// A disk, and four workers that share it.
struct FleetFixture {
  explicit FleetFixture(const char* size = "4m") : disk(size) {
    if (!disk.made()) {
      WARN("SKIPPED: this process may not make file systems (it must be root)");
      return;
    }
    store.emplace(FileStore::open(disk.path() + "/root").value());
    for (auto& worker : workers) worker = std::make_unique<Worker>(*pool, *store);
  }

  explicit operator bool() const { return disk.made(); }
  SpaceReserve& space(std::size_t worker) { return workers[worker]->space; }
  std::uint64_t free_bytes() const { return store->free_bytes().value(); }
  std::uint64_t usable() const { return free_bytes() - kReserve; }

  std::uint64_t promised() const {
    std::uint64_t sum = 0;
    for (const auto& worker : workers) sum += worker->promised() + worker->asked();
    return sum;
  }

  TinyDisk disk;
  std::unique_ptr<ScoreboardPool> pool = ScoreboardPool::create().value();
  std::optional<FileStore> store;
  std::array<std::unique_ptr<Worker>, 4> workers;
};

bool given(const Result<SpaceAnswer>& answer) { return answer.value().given; }

/// Runs `act` in so many threads, each told its number.
void in_threads(std::size_t count, const std::function<void(std::size_t)>& act) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(act, i);
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("space that one worker has promised is not promised by another, until it is given back") {
  FleetFixture f;
  if (!f) return;
  const std::uint64_t all = f.usable();
  REQUIRE(given(f.space(0).take(all)));
  const SpaceAnswer refused = f.space(1).take(1).value();
  CHECK_FALSE(refused.given);
  CHECK(refused.free_bytes == all + kReserve);
  CHECK(refused.promised_bytes == all);
  CHECK_FALSE(given(f.space(0).take(1)));
  f.space(0).settle(all);
  CHECK(given(f.space(1).take(all)));
  CHECK(f.workers[1]->promised() == all);
  CHECK(f.workers[1]->asked() == 0);
}

TEST_CASE("what is more than the disk has beside the reserve is refused to the byte") {
  FleetFixture f;
  if (!f) return;
  CHECK_FALSE(given(f.space(0).take(f.usable() + 1)));
  CHECK_FALSE(given(f.space(0).take(UINT64_MAX / 4)));
  CHECK(f.promised() == 0);
  CHECK(given(f.space(0).take(f.usable())));
}

TEST_CASE("a worker that stands alone counts its own promises") {
  FleetFixture f;
  if (!f) return;
  auto region = ScoreboardRegion::anonymous().value();
  SpaceReserve space(*f.store, region.board(), nullptr, kReserve);
  CHECK(given(space.take(f.usable())));
  CHECK_FALSE(given(space.take(1)));
}

TEST_CASE("the promises of a worker that dies go with it") {
  FleetFixture f;
  if (!f) return;
  REQUIRE(given(f.space(0).take(f.usable())));
  REQUIRE_FALSE(given(f.space(1).take(1)));
  f.workers[0].reset();
  CHECK(given(f.space(1).take(f.usable())));
}

TEST_CASE("a scoreboard gone mad makes refusals and no promises") {
  FleetFixture f;
  if (!f) return;
  for (auto field : {&Scoreboard::space_asked, &Scoreboard::space_promised}) {
    (f.workers[0]->region.board().*field).store(UINT64_MAX - 5);
    CHECK_FALSE(given(f.space(1).take(kBlock)));
    (f.workers[0]->region.board().*field).store(0);
    CHECK(given(f.space(1).take(kBlock)));
  }
}

TEST_CASE("what is written turns from promised into used, block by block") {
  FleetFixture f;
  if (!f) return;
  const std::uint64_t before = f.free_bytes();
  auto claim = std::make_shared<SpaceClaim>(f.space(0), 1);
  REQUIRE(given(claim->grow(10 * kBlock + 1, 10 * kBlock + 1)));
  CHECK(f.promised() == 11 * kBlock);
  {
    PartFile part = f.store->begin().value();
    part.charge(claim);
    REQUIRE(part.write(bytes_of(std::string(4 * kBlock, 'x'))).ok());
    CHECK(f.promised() == 7 * kBlock);
    CHECK(f.free_bytes() == before - 4 * kBlock);
    REQUIRE(part.write_at(bytes_of(std::string(20 * kBlock, 'x')), 4 * kBlock).ok());
    CHECK(f.promised() == 0);
  }
  CHECK(f.promised() == 0);
  CHECK(f.free_bytes() == before);
}

TEST_CASE("a claim gives back what was not written, once, when its last owner is gone") {
  FleetFixture f;
  if (!f) return;
  auto claim = std::make_shared<SpaceClaim>(f.space(0), 2);
  REQUIRE(given(claim->grow(3 * kBlock, 3 * kBlock)));
  CHECK(f.promised() == 6 * kBlock);
  auto other = claim;
  claim.reset();
  CHECK(f.promised() == 6 * kBlock);
  other->end();
  other->wrote(kBlock);
  other.reset();
  CHECK(f.promised() == 0);
}

TEST_CASE("threads that write of one claim while it ends settle each byte once") {
  FleetFixture f;
  if (!f) return;
  REQUIRE(given(f.space(0).take(kBlock)));  // of another: what is settled twice would be missing there
  for (int round = 0; round < 300; ++round) {
    SpaceClaim claim(f.space(0), 1);
    REQUIRE(given(claim.grow(64 * kBlock, 64 * kBlock)));
    in_threads(4, [&](std::size_t number) {
      for (int block = 0; block < 12; ++block) claim.wrote(kBlock);
      if (number == 3) claim.end();
    });
    claim.end();
    REQUIRE(f.promised() == kBlock);
  }
}

TEST_CASE("a body of unknown length asks for as much again as it has had, from 1 to 64 MiB") {
  FleetFixture f("4g");  // none of which is written
  if (!f) return;
  SpaceClaim claim(f.space(0), 1);
  REQUIRE(claim.reach(1, {}).ok());
  CHECK(claim.body_bytes() == 1u << 20);
  REQUIRE(claim.reach(1u << 20, {}).ok());
  CHECK(claim.body_bytes() == 1u << 20);
  for (int step = 0; step < 8; ++step) REQUIRE(claim.reach(claim.body_bytes() + 1, {}).ok());
  CHECK(claim.body_bytes() == 192u << 20);
  CHECK(code_of(claim.reach(f.usable() + 1, {})) == ErrorCode::kNoSpace);
}

TEST_CASE("a claim that cannot have its next step has the least it needs, or nothing") {
  FleetFixture f;
  if (!f) return;
  REQUIRE(given(f.space(1).take(f.usable() - 8 * kBlock)));
  SpaceClaim claim(f.space(0), 1);
  CHECK(given(claim.grow(256 * kBlock, 5 * kBlock)));
  CHECK(claim.body_bytes() == 5 * kBlock);
  CHECK_FALSE(given(claim.grow(256 * kBlock, 4 * kBlock)));
  CHECK(claim.body_bytes() == 5 * kBlock);
  CHECK(given(claim.grow(256 * kBlock, 3 * kBlock)));
}

TEST_CASE(
    "without a look at the disk space is promised only just after one, and only where there is plenty") {
  FleetFixture f("4g");  // none of which is written
  if (!f) return;
  CHECK_FALSE(f.space(0).take_if_plenty(1));
  const auto just_after_a_look = [&f](std::uint64_t bytes) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      REQUIRE(given(f.space(0).take(1)));
      if (f.space(0).take_if_plenty(bytes)) return true;
    }
    return false;
  };
  CHECK(just_after_a_look(kBlock));
  std::this_thread::sleep_for(milliseconds(20));
  CHECK_FALSE(f.space(0).take_if_plenty(1));
  CHECK_FALSE(just_after_a_look(f.usable() - f.promised() - (256u << 20)));
  REQUIRE(given(f.space(1).take(f.usable() - f.promised() - (256u << 20))));
  CHECK_FALSE(just_after_a_look(1));
}

TEST_CASE("of many that ask at once exactly as many are promised space as fit") {
  FleetFixture f;
  if (!f) return;
  for (std::uint64_t round = 0; round < 20; ++round) {
    const std::uint64_t each = f.usable() / 11 + round;  // ten fit
    std::atomic<int> admitted{0};
    std::atomic<bool> go{false};
    in_threads(32, [&](std::size_t number) {
      if (number == 31) go = true;
      while (!go) std::this_thread::yield();
      if (given(f.space(number % 4).take(each))) ++admitted;
    });
    const auto fit = static_cast<int>(f.usable() / each);
    CHECK(admitted.load() == fit);
    CHECK(f.promised() == each * static_cast<std::uint64_t>(fit));
    for (const auto& worker : f.workers) worker->space.settle(worker->promised());
  }
}

TEST_CASE("of workers that ask for all of it without a pause one alone has it at a time") {
  FleetFixture f("4g");  // none of which is written
  if (!f) return;
  const std::uint64_t most = f.usable() - (600u << 20);
  std::atomic<int> holders{0};
  std::atomic<int> admitted{0};
  std::atomic<bool> twice{false};
  in_threads(4, [&](std::size_t number) {
    SpaceReserve& space = f.space(number);
    for (int round = 0; round < 200'000; ++round) {
      if (round % 500 == 0 && space.take(1).value().given) space.settle(1);  // a fresh look
      if (!space.take_if_plenty(most)) continue;
      ++admitted;
      if (holders.fetch_add(1) > 0) twice = true;
      holders.fetch_sub(1);
      space.settle(most);
    }
  });
  CHECK_FALSE(twice.load());
  CHECK(admitted.load() > 100);
  CHECK(f.promised() == 0);
}

TEST_CASE("however many threads of all workers ask and give back, never more is promised than there is") {
  FleetFixture f;
  if (!f) return;
  const std::uint64_t each = f.usable() / 3;
  std::atomic<std::uint64_t> held{0};
  std::atomic<std::uint64_t> most{0};
  std::atomic<int> admitted{0};
  in_threads(16, [&](std::size_t number) {
    for (int round = 0; round < 300; ++round) {
      if (!given(f.space(number % 4).take(each))) continue;
      ++admitted;
      const std::uint64_t now = held.fetch_add(each) + each;
      for (std::uint64_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      if (round % 4 == 0) std::this_thread::yield();
      held.fetch_sub(each);
      f.space(number % 4).settle(each);
    }
  });
  CHECK(most.load() <= f.usable());
  CHECK(admitted.load() > 100);
  CHECK(f.promised() == 0);
}

TEST_CASE("however uploads come and go, the reserve stays free") {
  FleetFixture f;
  if (!f) return;
  std::atomic<bool> over{false};
  std::atomic<bool> failed{false};
  std::atomic<std::uint64_t> least{UINT64_MAX};
  std::thread watcher([&] {
    while (!over) least = std::min<std::uint64_t>(least, f.free_bytes());
  });
  in_threads(12, [&](std::size_t number) {
    const std::string bytes(32 * kBlock, 'x');
    for (int round = 0; round < 100; ++round) {
      auto claim = std::make_shared<SpaceClaim>(f.space(number % 4), 1);
      if (!given(claim->grow(8 * bytes.size(), 8 * bytes.size()))) continue;
      auto part = f.store->begin();
      if (!part) return failed.store(true);
      part->charge(claim);
      for (int piece = 0; piece < 8; ++piece) {
        if (!part->write(bytes_of(bytes))) return failed.store(true);
      }
    }
  });
  over = true;
  watcher.join();
  CHECK_FALSE(failed.load());
  CHECK(least.load() >= kReserve);
  CHECK(least.load() < kReserve + (3u << 20));  // it was used
  CHECK(f.promised() == 0);
}

}  // namespace
}  // namespace forklift
