#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "master/fleet_types.h"
#include "master/fork_budget.h"

namespace forklift {

/// Every decision of the master about its workers: events in, actions out. Pure: no clock, no system call,
/// no libuv, so that a simulator can run it through years of accidents. Owned by the Supervisor.
///
/// A slot is a place in the fleet, 0 … workers - 1. A worker boots, serves, drains (leaves when its
/// connections are done) or leaves (was told to end). What it keeps true:
///   - serving workers are never told to go before their replacement serves, unless the fleet shrinks or
///   stops;
///   - process starts stay within the ForkBudget;
///   - a worker that did nothing wrong is never killed;
///   - a fleet that has served ends only when it is told to;
///   - a reload that fails leaves what was serving in place;
///   - a reload ends no transfer that moves: it waits until one generation less drains.
class Fleet {
 public:
  /// `seed` feeds the jitter of the back-off. The first generation is 1.
  Fleet(FleetPolicy policy, std::uint64_t seed);

  Actions start(TimePoint now);

  /// The Spawn could not be carried out. `reason` ends a sentence: "cannot fork: …".
  Actions spawn_failed(WorkerId id, const std::string& reason, TimePoint now);

  /// READY came, with the right ABI.
  Actions ready(WorkerId id, TimePoint now);

  /// The worker broke the contract (another ABI, a message that is none): it is killed and replaced.
  Actions broke_contract(WorkerId id, const std::string& reason, TimePoint now);

  /// The worker drains because somebody else told it to (SIGTERM). It is replaced at once.
  Actions leaving(WorkerId id, TimePoint now);

  /// The worker's end of the channel is closed. It has a moment to exit.
  Actions channel_closed(WorkerId id, TimePoint now);

  /// The process is reaped. Nothing is ever said about `id` again.
  Actions exited(WorkerId id, Ending ending, TimePoint now);

  /// A new configuration or binary, known as `generation` from now on. A number of workers that is what it
  /// was leaves what resize() made of it. While another reload is going on, or as many old generations drain
  /// as its policy allows, it waits, and only the last one that waits is carried out.
  Actions reload(Generation generation, FleetPolicy policy, TimePoint now);

  /// Graceful (TERM) or quick (INT, QUIT). Asked a second time, kills.
  Actions stop(bool quick, TimePoint now);

  /// TTIN, TTOU: one worker more or less, never under one.
  Actions resize(int change, TimePoint now);

  /// To be called at deadline(), and harmless at any other time. `pulses` in any order.
  Actions tick(const std::vector<Pulse>& pulses, TimePoint now);

  TimePoint deadline() const { return deadline_; }

  /// False: no Spawn will ever name that generation again, what belongs to it may go.
  bool may_spawn(Generation generation) const;

  /// What serves, and is fallen back to while a reload goes on.
  Generation stable_generation() const { return stable_.generation; }

  bool stopping() const { return stopping_; }

  int serving() const;

  /// How many workers beyond slot_limit() may boot or serve in its slots.
  int surge_limit() const { return std::max(stable_.policy.max_surge, wanted_.policy.max_surge); }

  /// How many are to serve once all that is under way is done.
  int target() const { return wanted_.policy.workers; }

  /// The slots in use: at most surge_limit() workers more than that are in them at any time. A reload to
  /// fewer workers keeps the old slots until it has succeeded.
  int slot_limit() const;

 private:
  enum class Phase : std::uint8_t { kBooting, kServing, kDraining, kLeaving };

  struct Worker {
    WorkerId id;
    int slot;
    Generation generation;
    Phase phase = Phase::kBooting;
    TimePoint since{};           // when the phase began
    TimePoint beat_at{};         // when `beats` was last seen to change
    TimePoint moved_at{};        // when `bytes` was
    bool in_the_kernel = false;  // when last looked at, and its loop had not turned
    std::uint64_t beats = 0;
    std::uint64_t bytes = 0;
    bool mourned = false;                // its loss has been dealt with already, the process is still there
    std::optional<TimePoint> kill_at{};  // SIGKILL then
  };

  struct Slot {
    int failures = 0;      // young deaths in a row
    TimePoint not_before;  // of the next start
  };

  struct Plan {
    Generation generation;
    FleetPolicy policy;
    int workers_asked = policy.workers;  // by the configuration; TTIN and TTOU change policy.workers
  };

  // fleet.cpp: one worker
  Worker* find(WorkerId id);
  void note(log::Level level, std::string text);
  void enter(Worker& worker, Phase phase, TimePoint now);
  void retire(Worker& worker, TimePoint now);
  void end(Worker& worker, TimePoint now);
  void kill_soon(Worker& worker, milliseconds grace, TimePoint now);
  void mourn(Worker& worker, bool own_fault, const std::string& reason, TimePoint now);
  void back_off(Slot& slot, TimePoint now);
  void remove(WorkerId id);
  void drain_within(Worker& worker, milliseconds limit, TimePoint now);
  void begin_stop(bool quick, TimePoint now);
  void kill_all();
  Actions settle(TimePoint now);

  // fleet_watch.cpp: time passing
  void take(const Pulse& pulse, TimePoint now);
  void forgive(Clock::duration pause);
  void watch(Worker& worker, TimePoint now);
  void watch_drain(Worker& worker, TimePoint now);

  // fleet_plan.cpp: what should be, and the way there
  bool reloading() const { return wanted_.generation != stable_.generation; }
  bool active(const Worker& worker) const;
  int rank(const Worker& worker) const;
  bool surplus(const Worker& worker) const;
  bool covered(int slot) const;
  bool serves(int slot, Generation generation) const;
  std::optional<Generation> refill_generation(int slot) const;
  void begin_reload(const Plan& plan);
  bool room_for_generation();
  int surge_now() const;
  void finish_reload();
  void roll_back(const std::string& reason, TimePoint now);
  void retire_surplus(TimePoint now);
  void refill(TimePoint now);
  void convert(TimePoint now);
  std::optional<int> next_to_convert() const;
  Slot& slot_at(int slot);
  void spawn(int slot, Generation generation, TimePoint now);
  void give_up_start(const std::string& reason, TimePoint now);
  bool start_is_hopeless();
  void wake_at(TimePoint when);

  Plan stable_;                 // what has served and is fallen back to
  Plan wanted_;                 // what is being moved to; the same, when nothing is
  std::optional<Plan> queued_;  // a reload that waits: for the one going on, or until fewer generations drain
  Generation wait_noted_ = 0;   // that one is known to wait for the latter
  bool proven_ = true;          // a worker of wanted_ has been ready
  bool stable_served_ = false;  // and one of stable_
  int reload_kills_ = 0;

  std::vector<Worker> workers_;
  std::vector<Slot> slots_;
  ForkBudget budget_;
  std::minstd_rand jitter_;
  WorkerId next_id_ = 1;

  bool served_ = false;
  bool stopping_ = false;
  bool exited_ = false;
  int exit_code_ = 0;

  TimePoint ticked_at_;
  TimePoint deadline_;
  Actions actions_;
};

}  // namespace forklift
