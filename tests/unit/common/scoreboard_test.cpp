#include "common/scoreboard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "common/clock.h"
#include "support/catch.h"

namespace forklift {
namespace {

struct Pair {
  ScoreboardRegion master;
  ScoreboardRegion worker;
};

Pair pair() {
  auto master = ScoreboardRegion::create();
  REQUIRE(master.ok());
  auto worker = ScoreboardRegion::open_inherited(UniqueFd(::dup(master->descriptor())));
  REQUIRE(worker.ok());
  return Pair{std::move(*master), std::move(*worker)};
}

}  // namespace

TEST_CASE("the master reads what the worker writes") {
  Pair both = pair();
  Scoreboard& board = both.worker.board();
  set_state(board, WorkerState::kServing);
  add(board.beats, 3);
  add(board.connections, 5);
  subtract(board.connections, 1);
  add(board.answers[2], 7);
  const ScoreboardSnapshot seen = both.master.read();
  CHECK(seen.valid);
  CHECK(seen.state == WorkerState::kServing);
  CHECK(seen.beats == 3);
  CHECK(seen.connections == 4);
  CHECK(seen.answers[2] == 7);
}

TEST_CASE("a scoreboard that no worker has opened is not valid") {
  const auto master = ScoreboardRegion::create();
  REQUIRE(master.ok());
  CHECK_FALSE(master->read().valid);
}

TEST_CASE("a state that is none makes a scoreboard invalid") {
  Pair both = pair();
  both.worker.board().state.store(77);
  CHECK_FALSE(both.master.read().valid);
  CHECK(both.master.read().state == WorkerState::kBooting);
}

TEST_CASE("a worker cannot take the memory away from under the master") {
  const Pair both = pair();
  CHECK(::ftruncate(both.master.descriptor(), 0) == -1);
  CHECK(errno == EPERM);
}

TEST_CASE("once sealed a scoreboard is mapped writable by nobody else, and its worker goes on writing") {
  Pair both = pair();
  REQUIRE(both.master.seal().ok());
  const int fd = both.master.descriptor();
  CHECK(::mmap(nullptr, kScoreboardBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
  CHECK(::pwrite(fd, "x", 1, 0) == -1);
  add(both.worker.board().beats, 1);
  CHECK(both.master.read().beats == 1);
}

TEST_CASE("a descriptor of another size is no scoreboard") {
  UniqueFd other(::memfd_create("other", MFD_CLOEXEC));
  CHECK_FALSE(ScoreboardRegion::open_inherited(std::move(other)).ok());
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
