#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "master/fleet.h"

namespace forklift {

/// Drives a Fleet with a clock of its own and keeps what it asked for last.
class FleetHarness {
 public:
  explicit FleetHarness(int workers, milliseconds timeout = seconds(30), milliseconds graceful = seconds(20))
      : policy{.workers = workers,
               .timeout = timeout,
               .graceful_timeout = graceful,
               .drain_idle_timeout = seconds(10),
               .max_surge = 1,
               .old_generations_max = 2},
        fleet(policy, 1) {}

  void start() { last = fleet.start(now); }
  void ready(WorkerId id) { last = fleet.ready(id, now); }
  void exited(WorkerId id, Ending ending) { last = fleet.exited(id, ending, now); }
  void reload(Generation generation) { last = fleet.reload(generation, policy, now); }

  /// All of the first fleet boots and serves, workers 1 … n in slots 0 … n - 1, for two seconds: still
  /// young, and the fork budget is full again.
  void serve() {
    start();
    std::vector<WorkerId> all;
    for (int id = 1; id <= policy.workers; ++id) all.push_back(static_cast<WorkerId>(id));
    for (const WorkerId id : all) ready(id);
    pass(seconds(2), all);
  }

  /// Lets time pass in steps of the fleet's own deadlines; collects what it asks for. `beating` workers get
  /// on with their work, and `moving` ones with their transfers.
  void pass(milliseconds time, const std::vector<WorkerId>& beating = {},
            const std::vector<WorkerId>& moving = {}) {
    const TimePoint end = now + time;
    Actions all;
    while (fleet.deadline() <= end) {
      now = std::max(now, fleet.deadline());
      tick(beating, moving);
      all.insert(all.end(), last.begin(), last.end());
    }
    now = end;
    last = all;
  }

  void tick(const std::vector<WorkerId>& beating, const std::vector<WorkerId>& moving = {}) {
    ++turn;
    std::vector<Pulse> pulses;
    for (const WorkerId id : beating) pulses.push_back(Pulse{id, turn, 0});
    for (const WorkerId id : moving) pulses.push_back(Pulse{id, turn, turn});
    for (const WorkerId id : in_the_kernel) pulses.push_back(Pulse{id, 0, 0, false, true});
    last = fleet.tick(pulses, now);
  }

  /// "spawn 3 slot 0 generation 2; accept 1; drain 1; stop 1; kill 1 by 9; exit 0" in order, without notes.
  std::string asked() const {
    std::string text;
    for (const Action& action : last) {
      const std::string line = std::visit([](const auto& each) { return told(each); }, action);
      if (!line.empty()) text += (text.empty() ? "" : "; ") + line;
    }
    return text;
  }

  bool noted(const std::string& part) const {
    for (const Action& action : last) {
      const Note* const note = std::get_if<Note>(&action);
      if (note != nullptr && note->text.find(part) != std::string::npos) return true;
    }
    return false;
  }

  std::vector<WorkerId> in_the_kernel;  // these stand still, but wait for a disk

  FleetPolicy policy;
  Fleet fleet;
  TimePoint now{seconds(1000)};
  Actions last;
  std::uint64_t turn = 0;

 private:
  static std::string told(const Spawn& spawn) {
    return log::text("spawn ", spawn.id, " slot ", spawn.slot, " generation ", spawn.generation);
  }
  static std::string told(const Accept& accept) { return log::text("accept ", accept.id); }
  static std::string told(const Drain& drain) { return log::text("drain ", drain.id); }
  static std::string told(const Stop& stop) { return log::text("stop ", stop.id); }
  static std::string told(const Kill& kill) { return log::text("kill ", kill.id, " by ", kill.signal); }
  static std::string told(const Note&) { return {}; }
  static std::string told(const Exit& exit) { return log::text("exit ", exit.code); }
};

inline constexpr Ending kSegv{0, 11};
inline constexpr Ending kSigkill{0, 9};
inline constexpr Ending kClean{0, 0};
inline constexpr Ending kStatus3{3, 0};

}  // namespace forklift
