#include "worker/http/accept_gate.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <vector>

#include "support/catch.h"

namespace forklift {
namespace {

/// A fleet in one process: its memory, its workers' regions, and the gate of the first.
struct Fleet {
  explicit Fleet(const std::vector<std::uint64_t>& connections) : pool(make_pool()) {
    for (const std::uint64_t each : connections) {
      leases.emplace_back(*pool->take());
      regions.push_back(
          *ScoreboardRegion::open_inherited(UniqueFd(::dup(pool->writable_fd())), leases.back()->region()));
      set_state(board(regions.size() - 1), WorkerState::kServing);
      board(regions.size() - 1).connections.store(each);
    }
    view = std::make_unique<FleetView>(*FleetView::open_inherited(UniqueFd(::dup(pool->read_only_fd())), 0));
    gate = std::make_unique<AcceptGate>(board(0), view.get());
  }

  static std::unique_ptr<ScoreboardPool> make_pool() {
    auto made = ScoreboardPool::create();
    REQUIRE(made.ok());
    return *std::move(made);
  }

  Scoreboard& board(std::size_t worker) { return regions[worker].board(); }
  void turn(std::size_t worker) { add(board(worker).beats, 1); }
  bool lets_in() { return gate->lets_in(now); }

  std::unique_ptr<ScoreboardPool> pool;
  std::vector<std::optional<ScoreboardLease>> leases;
  std::vector<ScoreboardRegion> regions;
  std::unique_ptr<FleetView> view;
  std::unique_ptr<AcceptGate> gate;
  TimePoint now{seconds(1000)};
};

}  // namespace

TEST_CASE("a worker that runs alone takes whatever waits") {
  auto own = ScoreboardRegion::anonymous();
  REQUIRE(own.ok());
  own->board().connections.store(1000);
  AcceptGate gate(own->board(), nullptr);
  CHECK(gate.lets_in(TimePoint(seconds(1))));
}

TEST_CASE("a worker takes what waits as long as nobody has clearly fewer connections") {
  CHECK(Fleet({0, 0, 0}).lets_in());
  CHECK(Fleet({3, 3, 9}).lets_in());
  CHECK_FALSE(Fleet({1, 0, 0}).lets_in());
  CHECK_FALSE(Fleet({4, 9, 3}).lets_in());
  CHECK(Fleet({22, 20, 20}).lets_in());
  CHECK_FALSE(Fleet({23, 20, 25}).lets_in());
}

TEST_CASE("who boots, drains or is gone does not count") {
  Fleet fleet({5, 0, 0, 0, 7});
  set_state(fleet.board(1), WorkerState::kReady);
  set_state(fleet.board(2), WorkerState::kDraining);
  CHECK_FALSE(fleet.lets_in());
  fleet.leases[3].reset();
  CHECK(fleet.lets_in());
}

TEST_CASE("a sibling that stands still while a connection waits is passed over until it turns") {
  Fleet fleet({5, 0, 5});
  CHECK_FALSE(fleet.lets_in());
  fleet.now += AcceptGate::kPatience - milliseconds(1);
  fleet.turn(2);
  CHECK_FALSE(fleet.lets_in());
  fleet.now += milliseconds(1);
  CHECK(fleet.lets_in());
  fleet.now += seconds(5);
  CHECK(fleet.lets_in());
  fleet.turn(1);
  CHECK_FALSE(fleet.lets_in());
}

TEST_CASE("a sibling is not passed over when others took what waited meanwhile") {
  Fleet fleet({5, 0});
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(fleet.lets_in());
    fleet.now += AcceptGate::kPatience - milliseconds(1);
    fleet.gate->nobody_waits();
  }
}

TEST_CASE("where siblings turn but don't keep up the gate stays open for a while") {
  Fleet fleet({5, 0});
  CHECK_FALSE(fleet.lets_in());
  fleet.turn(1);
  fleet.now += AcceptGate::kCrowdedAfter - milliseconds(1);
  CHECK_FALSE(fleet.lets_in());
  fleet.now += milliseconds(1);
  CHECK(fleet.lets_in());
  fleet.now += AcceptGate::kCrowdedFor - milliseconds(1);
  CHECK(fleet.lets_in());
  fleet.now += milliseconds(1);
  CHECK_FALSE(fleet.lets_in());
}

TEST_CASE("no connection waits longer than half a second, whatever the siblings claim") {
  CHECK(AcceptGate::kCrowdedAfter < milliseconds(500));
}

}  // namespace forklift
