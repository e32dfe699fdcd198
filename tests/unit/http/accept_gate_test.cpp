#include "worker/http/accept_gate.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "support/catch.h"

namespace forklift {
namespace {

/// A fleet in one process: its memory, its workers' regions, and a gate for each; most tests ask the first.
struct Fleet {
  explicit Fleet(const std::vector<std::uint64_t>& connections) : pool(make_pool()) {
    for (const std::uint64_t each : connections) {
      leases.emplace_back(*pool->take());
      regions.push_back(
          *ScoreboardRegion::open_inherited(UniqueFd(::dup(pool->writable_fd())), leases.back()->region()));
      set_state(board(regions.size() - 1), WorkerState::kServing);
      board(regions.size() - 1).connections.store(each);
    }
    for (std::size_t worker = 0; worker < regions.size(); ++worker) {
      UniqueFd memory(::dup(pool->read_only_fd()));
      const int region = leases[worker]->region();
      views.push_back(std::make_unique<FleetView>(*FleetView::open_inherited(std::move(memory), region)));
      gates.push_back(std::make_unique<AcceptGate>(board(worker), views.back().get()));
    }
  }

  static std::unique_ptr<ScoreboardPool> make_pool() {
    auto made = ScoreboardPool::create();
    REQUIRE(made.ok());
    return *std::move(made);
  }

  Scoreboard& board(std::size_t worker) { return regions[worker].board(); }
  void turn(std::size_t worker) { add(board(worker).beats, 1); }
  bool lets_in() { return gates[0]->lets_in(now); }

  std::unique_ptr<ScoreboardPool> pool;
  std::vector<std::optional<ScoreboardLease>> leases;
  std::vector<ScoreboardRegion> regions;
  std::vector<std::unique_ptr<FleetView>> views;
  std::vector<std::unique_ptr<AcceptGate>> gates;
  TimePoint now{seconds(1000)};
};

/// A starved machine: worker i turns once every `periods[i]`, 0 for never, and has its look at what waits.
struct StarvedFleet : Fleet {
  explicit StarvedFleet(std::vector<milliseconds> turns_every)
      : Fleet(std::vector<std::uint64_t>(turns_every.size(), 0)), periods(std::move(turns_every)) {}

  /// As the Acceptor does it.
  void look(std::size_t worker) {
    while (!waiting.empty()) {
      if (!gates[worker]->lets_in(now)) return;
      longest_wait = std::max(longest_wait, now - waiting.front());
      waiting.pop_front();
      add(board(worker).connections, 1);
    }
    gates[worker]->nobody_waits();
  }

  void one_millisecond() {
    now += milliseconds(1);
    for (std::size_t worker = 0; worker < periods.size(); ++worker) {
      const bool never = periods[worker] == milliseconds(0);
      if (never || now.time_since_epoch() % periods[worker] != milliseconds(0)) continue;
      if (worker != takes_none) look(worker);
      turn(worker);
    }
  }

  /// `count` that stay, each as soon as the one before it has been taken.
  void connect_one_by_one(int count) {
    for (int i = 0; i < count; ++i) {
      waiting.push_back(now);
      while (!waiting.empty()) one_millisecond();
    }
  }

  void connect_at_once(std::size_t count) {
    waiting.assign(count, now);
    while (!waiting.empty()) one_millisecond();
  }

  std::vector<std::uint64_t> counts() {
    std::vector<std::uint64_t> all;
    for (auto& region : regions) all.push_back(region.board().connections.load());
    return all;
  }

  std::vector<milliseconds> periods;
  std::optional<std::size_t> takes_none;
  std::deque<TimePoint> waiting;
  TimePoint::duration longest_wait{};
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

TEST_CASE("what a sibling leaves undone adds up over connections that others took") {
  Fleet fleet({5, 0});
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(fleet.lets_in());
    fleet.now += AcceptGate::kPatience / 4;
    if (i == 3) break;
    CHECK_FALSE(fleet.lets_in());
    fleet.gates[0]->nobody_waits();
    fleet.now += seconds(5);
  }
  CHECK(fleet.lets_in());
}

TEST_CASE("a sibling that turns between the connections it leaves to others is not passed over") {
  Fleet fleet({5, 0});
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(fleet.lets_in());
    fleet.now += AcceptGate::kPatience - milliseconds(1);
    CHECK_FALSE(fleet.lets_in());
    fleet.gates[0]->nobody_waits();
    fleet.turn(1);
  }
}

TEST_CASE(
    "where siblings turn but don't keep up the gate opens for one connection after the other, then for all") {
  Fleet fleet({5, 0});
  CHECK_FALSE(fleet.lets_in());
  fleet.turn(1);
  fleet.now += AcceptGate::kCrowdedAfter - milliseconds(1);
  CHECK_FALSE(fleet.lets_in());
  fleet.now += milliseconds(1);
  CHECK(fleet.lets_in());
  CHECK_FALSE(fleet.lets_in());
  fleet.now += AcceptGate::kCrowdedStep;
  CHECK(fleet.lets_in());
  CHECK_FALSE(fleet.lets_in());
  fleet.turn(1);
  fleet.now += AcceptGate::kOpenAfter - AcceptGate::kCrowdedAfter;
  CHECK(fleet.lets_in());
  CHECK(fleet.lets_in());
}

TEST_CASE("the next connection is left to siblings again, however long the one before had to wait") {
  Fleet fleet({5, 0});
  CHECK_FALSE(fleet.lets_in());
  fleet.turn(1);
  fleet.now += AcceptGate::kOpenAfter;
  CHECK(fleet.lets_in());
  fleet.gates[0]->nobody_waits();
  CHECK_FALSE(fleet.lets_in());
}

TEST_CASE("on a starved machine no worker takes everything while its siblings find out who stands still") {
  StarvedFleet fleet({milliseconds(0), milliseconds(180), milliseconds(190), milliseconds(2)});
  fleet.connect_one_by_one(30);
  const auto counts = fleet.counts();
  CAPTURE(counts);
  CHECK(counts[0] == 0);
  CHECK(*std::max_element(counts.begin(), counts.end()) <= 12);
  CHECK(fleet.longest_wait < milliseconds(500));
}

TEST_CASE("where one turns, claims to have none and takes none, the others still share what comes") {
  StarvedFleet fleet({milliseconds(2), milliseconds(2), milliseconds(2), milliseconds(2)});
  fleet.takes_none = 1;
  fleet.connect_one_by_one(30);
  const auto counts = fleet.counts();
  CAPTURE(counts);
  CHECK(*std::max_element(counts.begin(), counts.end()) <= 12);
  CHECK(fleet.longest_wait < milliseconds(500));
}

TEST_CASE(
    "a hundred connections at once don't wait behind siblings that stand still, turn late or take none") {
  StarvedFleet fleet({milliseconds(0), milliseconds(150), milliseconds(2), milliseconds(2)});
  fleet.takes_none = 3;
  fleet.connect_at_once(100);
  CHECK(fleet.longest_wait < milliseconds(500));
}

TEST_CASE("no connection waits longer than half a second, whatever the siblings claim") {
  CHECK(AcceptGate::kOpenAfter < milliseconds(500));
}

}  // namespace forklift
