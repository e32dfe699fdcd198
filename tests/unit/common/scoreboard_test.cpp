#include "common/scoreboard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "common/clock.h"
#include "common/fleet_memory.h"
#include "support/catch.h"

namespace forklift {
namespace {

std::unique_ptr<ScoreboardPool> pool() {
  auto made = ScoreboardPool::create();
  REQUIRE(made.ok());
  return *std::move(made);
}

ScoreboardLease take(ScoreboardPool& pool) {
  auto lease = pool.take();
  REQUIRE(lease.ok());
  return *std::move(lease);
}

/// What the worker that holds the lease does first.
ScoreboardRegion open_region(const ScoreboardPool& pool, const ScoreboardLease& lease) {
  auto region = ScoreboardRegion::open_inherited(UniqueFd(::dup(pool.writable_fd())), lease.region());
  REQUIRE(region.ok());
  return *std::move(region);
}

FleetView open_view(const ScoreboardPool& pool, const ScoreboardLease& lease) {
  auto view = FleetView::open_inherited(UniqueFd(::dup(pool.read_only_fd())), lease.region());
  REQUIRE(view.ok());
  return *std::move(view);
}

}  // namespace

TEST_CASE("the master reads what the worker writes") {
  const auto memory = pool();
  const ScoreboardLease lease = take(*memory);
  ScoreboardRegion worker = open_region(*memory, lease);
  Scoreboard& board = worker.board();
  set_state(board, WorkerState::kServing);
  add(board.beats, 3);
  add(board.connections, 5);
  subtract(board.connections, 1);
  add(board.answers[2], 7);
  const ScoreboardSnapshot seen = lease.read();
  CHECK(seen.valid);
  CHECK(seen.state == WorkerState::kServing);
  CHECK(seen.beats == 3);
  CHECK(seen.connections == 4);
  CHECK(seen.answers[2] == 7);
}

TEST_CASE("a scoreboard that no worker has opened is not valid") {
  const auto memory = pool();
  CHECK_FALSE(take(*memory).read().valid);
}

TEST_CASE("a state that is none makes a scoreboard invalid") {
  const auto memory = pool();
  const ScoreboardLease lease = take(*memory);
  ScoreboardRegion worker = open_region(*memory, lease);
  worker.board().state.store(77);
  CHECK_FALSE(lease.read().valid);
  CHECK(lease.read().state == WorkerState::kBooting);
}

TEST_CASE("a worker sees its siblings' scoreboards as they are written") {
  const auto memory = pool();
  const ScoreboardLease first = take(*memory);
  const ScoreboardLease second = take(*memory);
  ScoreboardRegion writer = open_region(*memory, first);
  const FleetView view = open_view(*memory, second);
  CHECK(view.own_region() == 1);
  REQUIRE(view.regions() == 2);
  add(writer.board().connections, 9);
  CHECK(view.region(0).connections.load() == 9);
  CHECK(view.region(1).connections.load() == 0);
}

TEST_CASE("a worker cannot make its siblings' scoreboards writable") {
  const auto memory = pool();
  const ScoreboardLease lease = take(*memory);
  const FleetView view = open_view(*memory, lease);
  void* const sibling = const_cast<Scoreboard*>(&view.region(0));
  CHECK(::mprotect(sibling, kScoreboardBytes, PROT_READ | PROT_WRITE) == -1);
  CHECK(errno == EACCES);
  CHECK(::mmap(nullptr, kScoreboardBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->read_only_fd(), 0) ==
        MAP_FAILED);
  CHECK(::pwrite(memory->read_only_fd(), "x", 1, 0) == -1);
}

TEST_CASE("a worker cannot take the memory away from under the others, nor seal it against newcomers") {
  const auto memory = pool();
  CHECK(::ftruncate(memory->writable_fd(), 0) == -1);
  CHECK(errno == EPERM);
  CHECK(::fcntl(memory->writable_fd(), F_ADD_SEALS, F_SEAL_WRITE) == -1);
  CHECK(errno == EPERM);
}

TEST_CASE("what the dead have counted stays in the totals, and their region is empty for the next") {
  const auto memory = pool();
  {
    const ScoreboardLease lease = take(*memory);
    ScoreboardRegion worker = open_region(*memory, lease);
    add(worker.board().requests, 5);
    add(worker.board().answers[2], 4);
    add(worker.board().connections, 2);
    CHECK(memory->totals().requests == 5);
    CHECK(memory->totals().connections == 2);
  }
  CHECK(memory->totals().requests == 5);
  CHECK(memory->totals().answers[2] == 4);
  CHECK(memory->totals().connections == 0);
  const ScoreboardLease next = take(*memory);
  CHECK(next.region() == 0);
  CHECK_FALSE(next.read().valid);
  ScoreboardRegion worker = open_region(*memory, next);
  add(worker.board().requests, 1);
  CHECK(memory->totals().requests == 6);
}

TEST_CASE("siblings look no further than the last region in use") {
  const auto memory = pool();
  std::vector<ScoreboardLease> leases;
  for (int i = 0; i < 3; ++i) leases.push_back(take(*memory));
  const FleetView view = open_view(*memory, leases.front());
  CHECK(view.regions() == 3);
  leases.pop_back();
  CHECK(view.regions() == 2);
}

TEST_CASE("when every region is in use there is an error, and room again once one is reaped") {
  const auto memory = pool();
  std::vector<ScoreboardLease> leases;
  for (int i = 0; i < kRegionsMax; ++i) leases.push_back(take(*memory));
  REQUIRE_FALSE(memory->take().ok());
  leases.pop_back();
  CHECK(memory->take().ok());
}

TEST_CASE("a descriptor of another size is no scoreboard, and there is no region beyond the last") {
  UniqueFd other(::memfd_create("other", MFD_CLOEXEC));
  CHECK_FALSE(FleetView::open_inherited(UniqueFd(::dup(other.get())), 0).ok());
  CHECK_FALSE(ScoreboardRegion::open_inherited(std::move(other), 0).ok());
  const auto memory = pool();
  const auto open = [&memory](int region) {
    return ScoreboardRegion::open_inherited(UniqueFd(::dup(memory->writable_fd())), region).ok();
  };
  CHECK_FALSE(open(-1));
  CHECK_FALSE(open(kRegionsMax));
  CHECK(open(kRegionsMax - 1));
}

TEST_CASE("a worker that runs alone has a scoreboard of its own") {
  auto alone = ScoreboardRegion::anonymous();
  REQUIRE(alone.ok());
  add(alone->board().requests, 2);
  CHECK(alone->read().valid);
  CHECK(alone->read().requests == 2);
}

TEST_CASE("a beat comes four times in a timeout, and once a second at most") {
  CHECK(beat_interval(seconds(30)) == seconds(1));
  CHECK(beat_interval(seconds(1)) == milliseconds(250));
  CHECK(beat_interval(milliseconds(1)) == milliseconds(50));
  CHECK(beat_interval(milliseconds(0)) == seconds(1));
}

}  // namespace forklift
