#include <algorithm>
#include <csignal>
#include <cstdio>

#include "sim/world.h"

namespace forklift::sim {
namespace {

std::string told(const Spawn& spawn) {
  return log::text("spawn ", spawn.id, " slot ", spawn.slot, " generation ", spawn.generation);
}
std::string told(const Accept& accept) { return log::text("accept ", accept.id); }
std::string told(const Drain& drain) { return log::text("drain ", drain.id); }
std::string told(const Stop& stop) { return log::text("stop ", stop.id); }
std::string told(const Kill& kill) { return log::text("kill ", kill.id, " by ", kill.signal); }
std::string told(const Note& note) { return note.text; }
std::string told(const Exit& exit) { return log::text("exit ", exit.code); }

}  // namespace

const char* to_string(Invariant invariant) {
  switch (invariant) {
    case Invariant::kNotSentAwayEarly:
      return "serving workers are not sent away early";
    case Invariant::kKnowsWhoServes:
      return "the fleet knows who serves";
    case Invariant::kNewIds:
      return "every process has a new id";
    case Invariant::kGenerationsInUse:
      return "only generations in use are started";
    case Invariant::kNobodyAcceptsSentAway:
      return "nobody accepts who was sent away";
    case Invariant::kOnlyServingDrained:
      return "only who serves is drained";
    case Invariant::kMovingDrainGoesOn:
      return "a drain that moves is not cut short";
    case Invariant::kInnocentNotKilled:
      return "who did nothing wrong is not killed";
    case Invariant::kServedEndsWhenTold:
      return "a fleet that has served ends when told to";
    case Invariant::kOutlivesWorkers:
      return "the master outlives its workers";
    case Invariant::kNothingSaidToTheDead:
      return "nothing is said to the dead";
    case Invariant::kForkBudget:
      return "forks stay within the budget";
    case Invariant::kStopEnds:
      return "a fleet that is told to stop ends";
    case Invariant::kRecovers:
      return "the fleet recovers";
    case Invariant::kComesToRest:
      return "the fleet comes to rest";
    case Invariant::kOneGeneration:
      return "one generation serves in the end";
    case Invariant::kSurge:
      return "there are no more extra workers than allowed";
    case Invariant::kCanaryFirst:
      return "a reload tries one worker first";
    case Invariant::kOldGenerations:
      return "old generations do not pile up";
    case Invariant::kCount:
      break;
  }
  return "";
}

/// A batch of actions is one decision: what it does to the fleet is judged when all of it is done.
void World::obey(const Actions& actions) {
  int before = serving();
  bool dismissed = false;
  for (const Action& action : actions) {
    if (story_ != nullptr) {
      const std::string line = std::visit([](const auto& each) { return told(each); }, action);
      std::fprintf(story_, "%10.3f  %s\n", std::chrono::duration<double>(now_.time_since_epoch()).count(),
                   line.c_str());
    }
    if (const Kill* const kill = std::get_if<Kill>(&action)) before -= serves(kill->id) ? 1 : 0;
    dismissed = dismissed || std::holds_alternative<Drain>(action) || std::holds_alternative<Stop>(action);
    std::visit([this](const auto& each) { obey_one(each); }, action);
  }
  const bool stopping = stops_ > 0 || !served_;
  if (dismissed && !stopping) {
    require(serving() >= std::min(before, fleet_.target()), Invariant::kNotSentAwayEarly,
            log::text(before, " served, ", serving(), " do, ", fleet_.target(), " should"));
  }
  check_surge();
  check_generations();
  require(fleet_.serving() == serving(), Invariant::kKnowsWhoServes,
          log::text("it says ", fleet_.serving(), ", there are ", serving()));
  while (!failed_spawns_.empty()) {
    const WorkerId id = failed_spawns_.back();
    failed_spawns_.pop_back();
    processes_.erase(id);
    obey(fleet_.spawn_failed(id, "could not be started", now_));
  }
}

void World::obey_one(const Spawn& spawn) {
  ++fork_count_;
  require(spawn.id > last_id_, Invariant::kNewIds, std::to_string(spawn.id));
  require(generations_.contains(spawn.generation) && fleet_.may_spawn(spawn.generation),
          Invariant::kGenerationsInUse, std::to_string(spawn.generation));
  last_id_ = std::max(last_id_, spawn.id);
  check_budget();
  Process& process = processes_[spawn.id];
  process.slot = spawn.slot;
  process.generation = spawn.generation;
  if (!peaceful_ && chance(0.01)) return failed_spawns_.push_back(spawn.id);
  const Quality quality = generations_[spawn.generation];
  if (quality == Quality::kDead || (!peaceful_ && chance(0.02))) {
    process.misbehaved = true;
    process.ending = Ending{3, 0};
    return leave_within(process, 1, 300);
  }
  if (!peaceful_ && chance(0.01)) {
    process.misbehaved = true;  // will never be ready
    return;
  }
  process.ready_at = now_ + within(1, now_ < massacre_until_ ? 10 : 300);
  process.stuck = !peaceful_ && chance(0.02);
  if (quality == Quality::kFrail && !peaceful_) {
    process.gone_at = *process.ready_at + within(1, 2000);
    process.ending = Ending{0, SIGSEGV};
  }
}

void World::obey_one(const Accept& accept) {
  if (Process* const process = addressed(accept.id, "ACCEPT")) {
    require(!process->dismissed, Invariant::kNobodyAcceptsSentAway, std::to_string(accept.id));
    process->accepted = true;
  }
}

void World::obey_one(const Drain& drain) {
  Process* const process = addressed(drain.id, "DRAIN");
  if (process == nullptr) return;
  require(process->accepted, Invariant::kOnlyServingDrained, std::to_string(drain.id));
  const bool first = !process->dismissed;
  dismiss(*process);
  if (process->hung || process->stuck || !first) return;
  if (chance(0.7)) return leave_within(*process, 1, 2000);
  process->moves = chance(0.7);  // else it has a connection that stands still, and waits for it
  if (process->moves) leave_within(*process, 2000, 120000);
}

void World::obey_one(const Stop& stop) {
  Process* const process = addressed(stop.id, "STOP");
  if (process == nullptr) return;
  require(!process->moves || stops_ > 0, Invariant::kMovingDrainGoesOn, std::to_string(stop.id));
  dismiss(*process);
  if (!process->hung && !process->stuck) leave_within(*process, 1, 50);
}

void World::obey_one(const Kill& kill) {
  Process* const process = addressed(kill.id, "a signal");
  if (process == nullptr) return;
  const bool too_late = stops_ > 0 && now_ >= stopped_at_ + seconds(20);
  require(process->misbehaved || stops_ > 1 || too_late, Invariant::kInnocentNotKilled,
          log::text("worker ", kill.id, " got signal ", kill.signal));
  dismiss(*process);
  if (kill.signal != SIGKILL && (process->stuck || chance(0.2))) return;
  process->ending = Ending{0, kill.signal};
  leave_within(*process, 0, 5);
}

void World::obey_one(const Exit& exit) {
  require(exit.code == 0 ? stops_ > 0 : (exit.code == 3 && !served_), Invariant::kServedEndsWhenTold,
          log::text("it exited with ", exit.code));
  require(processes_.empty(), Invariant::kOutlivesWorkers, std::to_string(processes_.size()));
  exited_ = true;
}

void World::dismiss(Process& process) {
  process.dismissed = true;
  // From here on it may be killed for not going.
  if (process.stuck) process.misbehaved = true;
}

void World::leave_within(Process& process, int low_ms, int high_ms) {
  const TimePoint when = now_ + within(low_ms, high_ms);
  process.gone_at = process.gone_at ? std::min(*process.gone_at, when) : when;
}

Process* World::addressed(WorkerId id, const char* command) {
  const auto found = processes_.find(id);
  require(found != processes_.end(), Invariant::kNothingSaidToTheDead,
          log::text(command, " for worker ", id));
  return found == processes_.end() ? nullptr : &found->second;
}

void World::require(bool condition, Invariant invariant, std::string detail) {
  if (!condition && !violation_) violation_ = Violation{invariant, std::move(detail)};
}

/// In no stretch of time more than the burst and ten a second: a bucket that leaks so fast never overflows.
void World::check_budget() {
  const double leaked = 10 * std::chrono::duration<double>(now_ - forked_at_).count();
  forks_held_ = std::max(0.0, forks_held_ - leaked) + 1;
  forked_at_ = now_;
  require(forks_held_ <= 2 * size_most_ + 1, Invariant::kForkBudget,
          log::text(forks_held_, " more than ten a second"));
}

void World::check_surge() {
  const auto active = std::count_if(processes_.begin(), processes_.end(), [this](const auto& entry) {
    return !entry.second.dismissed && entry.second.slot < fleet_.slot_limit();
  });
  require(active <= fleet_.slot_limit() + fleet_.surge_limit(), Invariant::kSurge,
          log::text(active, " for ", fleet_.slot_limit(), " slots"));
}

void World::check_generations() {
  std::set<Generation> old;
  std::map<Generation, int> untried;
  for (const auto& [id, process] : processes_) {
    if (process.dismissed && !fleet_.may_spawn(process.generation)) old.insert(process.generation);
    const bool unknown = process.generation > 1 && !proven_.contains(process.generation);
    if (unknown && !process.dismissed) ++untried[process.generation];
  }
  require(old.size() <= kOldGenerationsMax, Invariant::kOldGenerations, std::to_string(old.size()));
  for (const auto& [generation, count] : untried) {
    require(count <= 1, Invariant::kCanaryFirst, log::text(count, " of generation ", generation));
  }
}

void World::check_calm(std::uint64_t forks_before) {
  if (stops_ > 0) return require(exited_, Invariant::kStopEnds, "it did not");
  if (exited_) return;
  require(serving() == fleet_.target(), Invariant::kRecovers,
          log::text(serving(), " of ", fleet_.target(), " serve"));
  require(fork_count_ == forks_before, Invariant::kComesToRest,
          log::text(fork_count_ - forks_before, " processes were started in quiet times"));
  Generation generation = 0;
  for (const auto& [id, process] : processes_) {
    if (process.dismissed) continue;
    require(generation == 0 || generation == process.generation, Invariant::kOneGeneration,
            log::text(generation, " and ", process.generation));
    generation = process.generation;
  }
}

bool World::serves(WorkerId id) const {
  const auto found = processes_.find(id);
  return found != processes_.end() && found->second.accepted && !found->second.dismissed;
}

int World::serving() const {
  return static_cast<int>(std::count_if(processes_.begin(), processes_.end(),
                                        [this](const auto& entry) { return serves(entry.first); }));
}

}  // namespace forklift::sim
