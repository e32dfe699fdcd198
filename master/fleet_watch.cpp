#include <algorithm>
#include <csignal>

#include "common/scoreboard.h"
#include "master/fleet.h"
#include "master/planted.h"

namespace forklift {

Actions Fleet::tick(const std::vector<Pulse>& pulses, TimePoint now) {
  const milliseconds interval = beat_interval(wanted_.policy.timeout);
  const Clock::duration pause = now - ticked_at_;
  // The master itself stood still (suspended, stopped, starved): its workers may have done so too.
  if (pause > 2 * interval && !planted(Plant::kKillOnGap)) forgive(pause);
  ticked_at_ = now;
  for (const Pulse& pulse : pulses) take(pulse, now);
  for (std::size_t i = 0; i < workers_.size(); ++i) watch(workers_[i], now);
  return settle(now);
}

void Fleet::take(const Pulse& pulse, TimePoint now) {
  Worker* const worker = find(pulse.id);
  if (worker == nullptr) return;
  // Any change counts: what the figure is, is the worker's own claim.
  const bool turned = worker->beats != pulse.beats;
  if (turned || pulse.in_the_kernel) worker->beat_at = now;
  if (!turned && pulse.in_the_kernel && !worker->in_the_kernel) {
    note(log::Level::kWarning, log::text("worker ", worker->id, " (slot ", worker->slot,
                                         ") waits in the kernel, so for a disk: left alone"));
  }
  worker->in_the_kernel = !turned && pulse.in_the_kernel;
  if (worker->bytes != pulse.bytes || pulse.at_disk) worker->moved_at = now;
  worker->beats = pulse.beats;
  worker->bytes = pulse.bytes;
}

void Fleet::forgive(Clock::duration pause) {
  for (Worker& worker : workers_) {
    worker.since += pause;
    worker.beat_at += pause;
    worker.moved_at += pause;
    if (worker.kill_at) *worker.kill_at += pause;
  }
}

void Fleet::watch(Worker& worker, TimePoint now) {
  if (planted(Plant::kNeverKill)) worker.kill_at.reset();
  if (worker.kill_at && now >= *worker.kill_at) {
    mourn(worker, true, "did not go when it was told to", now);
    note(log::Level::kWarning, log::text("worker ", worker.id, " does not go: killed"));
    actions_.push_back(Kill{worker.id, SIGKILL});
    worker.kill_at.reset();
    if (worker.phase != Phase::kLeaving) enter(worker, Phase::kLeaving, now);
    return;
  }
  if (worker.phase == Phase::kLeaving) return;
  const bool booting = worker.phase == Phase::kBooting;
  const milliseconds limit = booting ? kBootTimeout : wanted_.policy.timeout;
  const TimePoint sign_of_life = booting ? worker.since : worker.beat_at;
  if (limit > milliseconds(0) && now - sign_of_life >= limit) {
    const char* const reason = booting ? "was not ready in time" : "stood still";
    note(log::Level::kError,
         log::text("worker ", worker.id, " (slot ", worker.slot, ") ", reason, ": aborted"));
    mourn(worker, booting, reason, now);
    actions_.push_back(Kill{worker.id, SIGABRT});
    enter(worker, Phase::kLeaving, now);
    kill_soon(worker, kAbortGrace, now);
    return;
  }
  if (worker.phase == Phase::kDraining && !stopping_) watch_drain(worker, now);
}

/// A drain is judged by progress: as long as bytes move, it may go on. The worker judges each transfer by
/// itself (Connection::check_drain); here is only noticed that it does not.
void Fleet::watch_drain(Worker& worker, TimePoint now) {
  const TimePoint moved =
      planted(Plant::kKillMovingDrain) ? worker.since : std::max(worker.since, worker.moved_at);
  if (now - moved < 2 * wanted_.policy.drain_idle_timeout) return;
  note(log::Level::kWarning, log::text("worker ", worker.id, " drains without progress: stopped"));
  end(worker, now);
}

}  // namespace forklift
