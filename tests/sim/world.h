#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "master/fleet.h"

namespace forklift::sim {

/// What must be true of every fleet at any time (design, section 2). Each can fail: sim/main.cpp names a
/// mistake of the fleet that breaks it.
enum class Invariant : std::uint8_t {
  kNotSentAwayEarly,
  kKnowsWhoServes,
  kNewIds,
  kGenerationsInUse,
  kNobodyAcceptsSentAway,
  kOnlyServingDrained,
  kMovingDrainGoesOn,
  kInnocentNotKilled,
  kServedEndsWhenTold,
  kOutlivesWorkers,
  kNothingSaidToTheDead,
  kForkBudget,
  kSurge,
  kCanaryFirst,
  kOldGenerations,
  kStopEnds,
  kRecovers,
  kComesToRest,
  kOneGeneration,
  kCount,
};
const char* to_string(Invariant invariant);

struct Violation {
  Invariant invariant;
  std::string detail;
};

inline constexpr int kOldGenerationsMax = 2;

/// What a generation of workers is like.
enum class Quality : std::uint8_t {
  kGood,
  kDead,   // its workers exit before they are ready
  kFrail,  // its workers crash soon after, as long as there are accidents
};

/// One simulated worker process and what it has coming.
struct Process {
  int slot = 0;
  Generation generation = 0;
  bool accepted = false;    // ACCEPT was sent
  bool dismissed = false;   // DRAIN, STOP or a kill was sent
  bool misbehaved = false;  // did something it may be killed for
  bool hung = false;        // its loop stands still
  bool stuck = false;       // takes no leave when it is told to
  bool moves = false;       // its drain makes progress
  std::uint64_t beats = 0;
  std::uint64_t bytes = 0;
  std::optional<TimePoint> ready_at{};
  std::optional<TimePoint> gone_at{};
  Ending ending{};
};

/// A machine with accidents: one Fleet, its processes, its operator and the clock, all from one seed. Checks
/// the invariants of design section 2 after every event. Lives in the fleet_sim program.
class World {
 public:
  /// `story`: where to tell what happens; null: nowhere.
  World(std::uint64_t seed, std::FILE* story);

  /// Until the fleet has exited, `events` have happened, or an invariant is broken.
  std::optional<Violation> run(std::uint64_t events);

  std::uint64_t events() const { return events_; }

 private:
  // What happens (world.cpp)
  void step();
  void accident();
  void crash(WorkerId id);
  void tell_to_leave(WorkerId id);
  void operate();
  void suspend();
  void calm_down();
  void pass_to_next_event();
  void deliver_ready(WorkerId id);
  void deliver_exit(WorkerId id);
  void tick();
  WorkerId somebody();
  bool chance(double probability);
  milliseconds within(int low, int high);
  int new_size();

  // What the fleet does about it (world_fleet.cpp)
  void obey(const Actions& actions);
  void obey_one(const Spawn& spawn);
  void obey_one(const Accept& accept);
  void obey_one(const Drain& drain);
  void obey_one(const Stop& stop);
  void obey_one(const Kill& kill);
  void obey_one(const Note&) {}
  void obey_one(const Exit& exit);
  void dismiss(Process& process);
  void leave_within(Process& process, int low_ms, int high_ms);
  Process* addressed(WorkerId id, const char* command);

  // What must be true (world_fleet.cpp)
  void require(bool condition, Invariant invariant, std::string detail);
  void check_budget();
  void check_surge();
  void check_generations();
  void check_calm(std::uint64_t forks_before);
  bool serves(WorkerId id) const;
  int serving() const;

  std::FILE* story_;
  std::mt19937_64 dice_;
  TimePoint now_;
  int size_;
  Fleet fleet_;
  bool peaceful_ = false;
  std::map<WorkerId, Process> processes_;
  std::map<Generation, Quality> generations_;
  std::set<Generation> proven_;  // a worker of theirs has been ready
  std::vector<WorkerId> failed_spawns_;
  double forks_held_ = 0;  // in the bucket that check_budget() watches
  TimePoint forked_at_;
  std::uint64_t fork_count_ = 0;
  WorkerId last_id_ = 0;
  int size_most_ = 0;
  int stops_ = 0;
  bool served_ = false;
  bool exited_ = false;
  TimePoint stopped_at_;
  TimePoint massacre_until_;
  std::uint64_t events_ = 0;
  std::optional<Violation> violation_;
};

}  // namespace forklift::sim
