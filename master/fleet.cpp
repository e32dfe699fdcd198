#include "master/fleet.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "common/scoreboard.h"
#include "master/planted.h"

namespace forklift {
namespace {

std::string described(const Ending& ending) {
  if (ending.signal == 0) return log::text("exited with status ", ending.status);
  const char* const name = ::sigabbrev_np(ending.signal);
  return log::text("was killed by SIG", name != nullptr ? name : "?");
}

/// Nobody crashes by these two: somebody else sent them.
bool killed_from_outside(const Ending& ending) {
  return ending.signal == SIGKILL || ending.signal == SIGTERM;
}

std::string called(WorkerId id, int slot) { return log::text("worker ", id, " (slot ", slot, ") "); }

}  // namespace

Fleet::Fleet(FleetPolicy policy, std::uint64_t seed)
    : stable_{1, policy},
      wanted_{1, policy},
      slots_(static_cast<std::size_t>(policy.workers)),
      budget_(2 * policy.workers),
      jitter_(static_cast<std::minstd_rand::result_type>(seed)) {}

Actions Fleet::start(TimePoint now) {
  ticked_at_ = now;
  return settle(now);
}

Actions Fleet::spawn_failed(WorkerId id, const std::string& reason, TimePoint now) {
  if (Worker* const worker = find(id)) {
    note(log::Level::kError, called(id, worker->slot) + reason);
    mourn(*worker, true, reason, now);
    remove(id);
  }
  return settle(now);
}

Actions Fleet::ready(WorkerId id, TimePoint now) {
  Worker* const worker = find(id);
  // Late: it was told to leave while the message was on its way.
  const bool late = worker != nullptr && worker->phase != Phase::kBooting;
  if (worker == nullptr || (late && !planted(Plant::kHearLateReady))) return settle(now);
  served_ = true;
  if (worker->generation == wanted_.generation) proven_ = true;
  if (worker->generation == stable_.generation) stable_served_ = true;
  enter(*worker, Phase::kServing, now);
  if (!planted(Plant::kForgetAccept)) actions_.push_back(Accept{id});
  for (Worker& other : workers_) {
    if (other.slot == worker->slot && active(other) && rank(other) < rank(*worker)) retire(other, now);
  }
  return settle(now);
}

Actions Fleet::broke_contract(WorkerId id, const std::string& reason, TimePoint now) {
  if (Worker* const worker = find(id)) {
    note(log::Level::kError, called(id, worker->slot) + reason);
    mourn(*worker, true, reason, now);
    enter(*worker, Phase::kLeaving, now);
    worker->kill_at.reset();
    actions_.push_back(Kill{id, SIGKILL});
  }
  return settle(now);
}

Actions Fleet::leaving(WorkerId id, TimePoint now) {
  Worker* const worker = find(id);
  if (worker == nullptr || !active(*worker)) return settle(now);
  note(log::Level::kWarning, called(id, worker->slot) + "was told to leave by somebody else");
  mourn(*worker, false, "was told to leave", now);
  enter(*worker, Phase::kDraining, now);
  return settle(now);
}

Actions Fleet::channel_closed(WorkerId id, TimePoint now) {
  if (Worker* const worker = find(id)) kill_soon(*worker, kAbortGrace, now);
  return settle(now);
}

Actions Fleet::exited(WorkerId id, Ending ending, TimePoint now) {
  Worker* const worker = find(id);
  if (worker == nullptr) return settle(now);
  const std::string reason = described(ending);
  const bool expected = stopping_ || worker->phase == Phase::kDraining || worker->phase == Phase::kLeaving;
  const bool clean = ending.signal == 0 && ending.status == 0;
  note(expected && clean ? log::Level::kInfo : log::Level::kWarning, called(id, worker->slot) + reason);
  const bool own_fault = !killed_from_outside(ending) && !clean;
  mourn(*worker, own_fault, reason, now);
  remove(id);
  if (planted(Plant::kTalkToDead)) actions_.push_back(Stop{id});
  if (planted(Plant::kExitWhenEmpty) && workers_.empty()) stopping_ = true;
  return settle(now);
}

Actions Fleet::reload(Generation generation, FleetPolicy policy, TimePoint now) {
  if (stopping_) return settle(now);
  if (reloading()) note(log::Level::kInfo, "a reload is going on; the next one follows it");
  queued_ = Plan{generation, policy};
  return settle(now);
}

Actions Fleet::stop(bool quick, TimePoint now) {
  if (stopping_) {
    note(log::Level::kWarning, "told to stop again: killing what is left");
    kill_all();
  } else {
    note(log::Level::kInfo, quick ? "stopping" : "stopping when all is answered");
    begin_stop(quick, now);
  }
  return settle(now);
}

Actions Fleet::resize(int change, TimePoint now) {
  if (stopping_) return settle(now);
  if (reloading()) stable_.policy.workers = std::max(1, stable_.policy.workers + change);
  wanted_.policy.workers = std::max(1, wanted_.policy.workers + change);
  if (!reloading()) stable_.policy.workers = wanted_.policy.workers;
  note(log::Level::kInfo, log::text("the fleet is to have ", wanted_.policy.workers, " workers"));
  return settle(now);
}

bool Fleet::may_spawn(Generation generation) const {
  return generation == stable_.generation || generation == wanted_.generation ||
         (queued_ && generation == queued_->generation);
}

int Fleet::serving() const {
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const Worker& worker) {
    return worker.phase == Phase::kServing;
  }));
}

Fleet::Worker* Fleet::find(WorkerId id) {
  const auto found =
      std::find_if(workers_.begin(), workers_.end(), [id](const Worker& worker) { return worker.id == id; });
  return found == workers_.end() ? nullptr : &*found;
}

void Fleet::note(log::Level level, std::string text) { actions_.push_back(Note{level, std::move(text)}); }

void Fleet::enter(Worker& worker, Phase phase, TimePoint now) {
  worker.phase = phase;
  worker.since = now;
  if (phase == Phase::kServing) worker.beat_at = now;
  if (phase == Phase::kDraining) worker.moved_at = now;
}

/// Lets a worker go that did nothing wrong: what serves may finish, what boots has nothing to finish.
void Fleet::retire(Worker& worker, TimePoint now) {
  if (worker.phase == Phase::kBooting && !planted(Plant::kDrainBooting)) return end(worker, now);
  actions_.push_back(Drain{worker.id, milliseconds(0)});
  enter(worker, Phase::kDraining, now);
}

void Fleet::end(Worker& worker, TimePoint now) {
  actions_.push_back(Stop{worker.id});
  enter(worker, Phase::kLeaving, now);
  kill_soon(worker, kAbortGrace, now);
}

void Fleet::kill_soon(Worker& worker, milliseconds grace, TimePoint now) {
  const TimePoint when = now + grace;
  if (!worker.kill_at || when < *worker.kill_at) worker.kill_at = when;
}

/// Draws the consequences of a loss, once a worker: how soon its slot is filled again, and whether a reload
/// or a start is given up.
void Fleet::mourn(Worker& worker, bool own_fault, const std::string& reason, TimePoint now) {
  if (std::exchange(worker.mourned, true) || stopping_ || !active(worker)) return;
  const bool booting = worker.phase == Phase::kBooting;
  const bool young = booting || (own_fault && now - worker.since < kLived);
  // To fall back from what has served to what never did would be no help.
  const bool may_fall_back = stable_served_ || !proven_;
  if (reloading() && worker.generation == wanted_.generation && may_fall_back) {
    if (young && (own_fault || ++reload_kills_ >= kReloadKills)) roll_back(reason, now);
    return;
  }
  Slot& slot = slot_at(worker.slot);
  if (young) {
    back_off(slot, now);
    if (start_is_hopeless()) give_up_start(reason, now);
  } else {
    slot = Slot{0, planted(Plant::kForgetDead) ? TimePoint::max() : now};
  }
}

void Fleet::back_off(Slot& slot, TimePoint now) {
  const int doublings = std::min(slot.failures++, 20);
  const auto delay = std::min(kBackoffFirst * (1 << doublings), kBackoffMax);
  const double spread = std::uniform_real_distribution<double>(0.8, 1.2)(jitter_);
  slot.not_before = now + std::chrono::duration_cast<milliseconds>(delay * spread);
}

void Fleet::remove(WorkerId id) {
  std::erase_if(workers_, [id](const Worker& worker) { return worker.id == id; });
}

void Fleet::drain_within(Worker& worker, milliseconds limit, TimePoint now) {
  // A little early, so that a worker closes its last transfers itself and the kill finds nobody.
  actions_.push_back(Drain{worker.id, limit - limit / 20});
  enter(worker, Phase::kDraining, now);
  kill_soon(worker, limit, now);
}

void Fleet::begin_stop(bool quick, TimePoint now) {
  stopping_ = true;
  for (Worker& worker : workers_) {
    if (worker.phase == Phase::kLeaving || worker.mourned) continue;
    if (quick || worker.phase == Phase::kBooting) {
      end(worker, now);
    } else {
      drain_within(worker, wanted_.policy.graceful_timeout, now);
    }
  }
}

void Fleet::kill_all() {
  for (Worker& worker : workers_) {
    actions_.push_back(Kill{worker.id, SIGKILL});
    worker.phase = Phase::kLeaving;
    worker.kill_at.reset();
  }
}

Actions Fleet::settle(TimePoint now) {
  const milliseconds interval = beat_interval(wanted_.policy.timeout);
  deadline_ = ticked_at_ + interval;
  if (!stopping_) {
    finish_reload();
    if (!reloading() && queued_ && room_for_generation()) begin_reload(*std::exchange(queued_, std::nullopt));
    retire_surplus(now);
    refill(now);
    convert(now);
  }
  for (const Worker& worker : workers_) {
    if (worker.kill_at) wake_at(*worker.kill_at);
  }
  const bool ended = workers_.empty() || planted(Plant::kExitEarly);
  if (stopping_ && ended && !std::exchange(exited_, true)) actions_.push_back(Exit{exit_code_});
  return std::exchange(actions_, {});
}

}  // namespace forklift
