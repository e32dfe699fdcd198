#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "master/fleet.h"
#include "master/planted.h"

namespace forklift {

int Fleet::slot_limit() const { return std::max(wanted_.policy.workers, stable_.policy.workers); }

bool Fleet::active(const Worker& worker) const {
  return worker.phase == Phase::kBooting || worker.phase == Phase::kServing;
}

/// Of two workers in one slot, the one that stays: wanted, else fallen back to, else left over.
int Fleet::rank(const Worker& worker) const {
  if (worker.generation == wanted_.generation) return 2;
  return worker.generation == stable_.generation ? 1 : 0;
}

/// Boots beside somebody who already has the slot.
bool Fleet::surplus(const Worker& worker) const {
  if (worker.phase != Phase::kBooting) return false;
  if (reloading() && !proven_ && worker.generation == wanted_.generation) return true;
  return std::any_of(workers_.begin(), workers_.end(), [&](const Worker& other) {
    return other.id != worker.id && other.slot == worker.slot && active(other);
  });
}

/// A newcomer of a generation that has proven nothing yet is no cover.
bool Fleet::covered(int slot) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    if (worker.slot != slot || !active(worker)) return false;
    const bool canary = reloading() && !proven_ && worker.generation == wanted_.generation;
    return worker.phase == Phase::kServing || !canary;
  });
}

bool Fleet::serves(int slot, Generation generation) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return worker.slot == slot && worker.generation == generation && worker.phase == Phase::kServing;
  });
}

/// An empty slot gets the newest generation that has shown it can serve.
std::optional<Generation> Fleet::refill_generation(int slot) const {
  if (planted(Plant::kSpawnOutdated)) return stable_.generation - 1;
  if (proven_ && slot < wanted_.policy.workers) return wanted_.generation;
  if (!proven_ && slot < stable_.policy.workers) return stable_.generation;
  return std::nullopt;
}

void Fleet::begin_reload(const Plan& plan) {
  note(log::Level::kInfo, log::text("reloading: generation ", plan.generation));
  wanted_ = plan;
  if (plan.workers_asked == stable_.workers_asked) wanted_.policy.workers = stable_.policy.workers;
  proven_ = false;
  reload_kills_ = 0;
}

/// A transfer that moves may outlive any number of reloads, but old generations must not pile up without end:
/// where as many drain as may, the reload waits until one has ended by itself. Its own policy counts, so that
/// a reload with a higher bound need not wait.
bool Fleet::room_for_generation() {
  std::map<Generation, int> old;
  for (const Worker& worker : workers_) {
    if (worker.generation != stable_.generation) ++old[worker.generation];
  }
  const int allowed = queued_->policy.old_generations_max;
  if (std::ssize(old) < allowed || planted(Plant::kPileUpGenerations)) return true;
  if (std::exchange(wait_noted_, queued_->generation) != queued_->generation) {
    std::string them;
    for (const auto& [generation, count] : old) {
      them +=
          log::text(them.empty() ? "" : ", ", generation, " (", count, count == 1 ? " worker)" : " workers)");
    }
    note(log::Level::kWarning,
         log::text("the reload to generation ", queued_->generation,
                   " waits: as many old generations drain as ", "--max-old-generations ", allowed,
                   " allows, and one must end its transfers first: ", them,
                   "; only a stop (TERM) or a quick stop (INT, QUIT) would cut them"));
  }
  if (planted(Plant::kCutForRoom)) {
    for (Worker& worker : workers_) {
      if (worker.generation == old.begin()->first && worker.phase == Phase::kDraining)
        end(worker, ticked_at_);
    }
  }
  return false;
}

void Fleet::finish_reload() {
  if (!reloading()) return;
  for (int slot = 0; slot < wanted_.policy.workers; ++slot) {
    if (!serves(slot, wanted_.generation)) return;
  }
  note(log::Level::kInfo, log::text("reloaded: generation ", wanted_.generation, " serves"));
  stable_ = wanted_;
  stable_served_ = true;
  slots_.assign(static_cast<std::size_t>(slot_limit()), Slot{});
}

void Fleet::roll_back(const std::string& reason, TimePoint now) {
  if (planted(Plant::kKeepBadGeneration)) return;
  note(log::Level::kError, log::text("reload rolled back, generation ", stable_.generation,
                                     " stays: a worker of generation ", wanted_.generation, ' ', reason));
  const Generation failed = wanted_.generation;
  wanted_ = stable_;
  proven_ = true;
  for (Worker& worker : workers_) {
    const bool theirs = worker.generation == failed && worker.phase == Phase::kBooting;
    if (theirs && !worker.mourned) end(worker, now);
  }
}

/// Those beyond the last slot go, but who serves stays until enough others do.
void Fleet::retire_surplus(TimePoint now) {
  int spare = serving() - slot_limit();
  for (Worker& worker : workers_) {
    if (!active(worker) || worker.mourned || worker.slot < slot_limit()) continue;
    if (worker.phase == Phase::kServing && spare-- <= 0) continue;
    retire(worker, now);
  }
}

void Fleet::refill(TimePoint now) {
  for (int slot = 0; slot < slot_limit(); ++slot) {
    const auto generation = refill_generation(slot);
    if (!generation || covered(slot)) continue;
    const TimePoint not_before = slot_at(slot).not_before;
    if (now < not_before) {
      wake_at(not_before);
    } else {
      spawn(slot, *generation, now);
    }
  }
}

/// How many extra workers there may be now: of a generation that has proven nothing, one.
int Fleet::surge_now() const {
  if (reloading() && !proven_ && !planted(Plant::kNoCanary)) return 1;
  return planted(Plant::kReloadAllAtOnce) ? 1024 : wanted_.policy.max_surge;
}

/// Moves the fleet to the wanted generation, a few extra workers at a time. The same road leads back after a
/// roll-back.
void Fleet::convert(TimePoint now) {
  while (const auto slot = next_to_convert()) {
    const auto extra = std::count_if(workers_.begin(), workers_.end(),
                                     [this](const Worker& worker) { return surplus(worker); });
    if (extra >= surge_now()) return;
    const TimePoint not_before = slot_at(*slot).not_before;
    // The back-off is about the generation that failed, which a reload may be about to mend.
    if (!reloading() && now < not_before) return wake_at(not_before);
    const std::size_t before = workers_.size();
    spawn(*slot, wanted_.generation, now);
    if (workers_.size() == before) return;
    if (planted(Plant::kDrainBeforeReady)) {
      for (Worker& other : workers_) {
        if (other.slot == *slot && other.phase == Phase::kServing) retire(other, now);
      }
    }
  }
}

std::optional<int> Fleet::next_to_convert() const {
  for (int slot = planted(Plant::kSkipSlot) ? 1 : 0; slot < wanted_.policy.workers; ++slot) {
    bool newcomer = false;
    bool other = reloading() && !proven_;
    for (const Worker& worker : workers_) {
      if (worker.slot != slot || !active(worker)) continue;
      (worker.generation == wanted_.generation ? newcomer : other) = true;
    }
    if (!newcomer && other) return slot;
  }
  return std::nullopt;
}

Fleet::Slot& Fleet::slot_at(int slot) {
  const auto index = static_cast<std::size_t>(slot);
  if (slots_.size() <= index) slots_.resize(index + 1);
  return slots_[index];
}

void Fleet::spawn(int slot, Generation generation, TimePoint now) {
  budget_.set_burst(2 * slot_limit());
  if (!budget_.take(now) && !planted(Plant::kIgnoreBudget)) return wake_at(budget_.next(now));
  if (planted(Plant::kReuseIds) && next_id_ > 1) --next_id_;
  Worker worker{.id = next_id_++, .slot = slot, .generation = generation};
  worker.since = worker.beat_at = worker.moved_at = now;
  workers_.push_back(worker);
  actions_.push_back(Spawn{worker.id, slot, generation});
}

bool Fleet::start_is_hopeless() {
  if (served_ || reloading()) return false;
  for (int slot = 0; slot < wanted_.policy.workers; ++slot) {
    if (slot_at(slot).failures < kBootTries) return false;
  }
  return true;
}

void Fleet::give_up_start(const std::string& reason, TimePoint now) {
  note(log::Level::kError, log::text("no worker ever became ready, the last one ", reason));
  exit_code_ = 3;
  begin_stop(true, now);
}

void Fleet::wake_at(TimePoint when) { deadline_ = std::min(deadline_, when); }

}  // namespace forklift
