#include "sim/world.h"

#include <algorithm>
#include <csignal>

namespace forklift::sim {
namespace {

constexpr milliseconds kGraceful = seconds(20);

/// The other settings follow from the size, so that they change with it.
constexpr FleetPolicy policy_for(int size) {
  return FleetPolicy{.workers = size,
                     .timeout = seconds(30),
                     .graceful_timeout = kGraceful,
                     .drain_idle_timeout = seconds(10),
                     .max_surge = 1 + size % 3,
                     .old_generations_max = kOldGenerationsMax};
}

}  // namespace

World::World(std::uint64_t seed, std::FILE* story)
    : story_(story),
      dice_(seed),
      now_(seconds(1000)),
      size_(new_size()),
      fleet_(policy_for(size_), seed),
      size_most_(size_) {
  generations_[1] = chance(0.05) ? Quality::kDead : Quality::kGood;
  obey(fleet_.start(now_));
}

std::optional<Violation> World::run(std::uint64_t events) {
  while (!exited_ && !violation_ && events_ < events) {
    step();
    if (!exited_ && !violation_ && chance(0.002)) calm_down();
  }
  return violation_;
}

void World::step() {
  ++events_;
  if (!peaceful_ && chance(0.1)) {
    accident();
  } else {
    pass_to_next_event();
  }
}

void World::accident() {
  const WorkerId victim = somebody();
  switch (std::uniform_int_distribution<int>(0, 10)(dice_)) {
    case 0:
    case 1:
    case 2:
      return crash(victim);
    case 3:
      if (processes_.contains(victim)) processes_[victim].hung = processes_[victim].misbehaved = true;
      return;
    case 4:
      return suspend();
    case 5:
      if (processes_.contains(victim)) processes_[victim].misbehaved = true;
      return obey(fleet_.broke_contract(victim, "babbled", now_));
    case 6:
      if (!processes_.contains(victim)) return;
      processes_[victim].misbehaved = true;
      return obey(fleet_.channel_closed(victim, now_));
    case 7:
      // Messages about those who are long gone, and messages said twice.
      obey(fleet_.exited(last_id_ + 1, Ending{}, now_));
      return obey(fleet_.tick({Pulse{last_id_ + 7, 1, 1}}, now_));
    case 8:
      // Somebody kills every worker as soon as it serves.
      if (chance(0.02)) massacre_until_ = now_ + within(500, 5000);
      return;
    case 9:
      if (chance(0.3)) return tell_to_leave(victim);
      return operate();
    default:
      return operate();
  }
}

void World::crash(WorkerId id) {
  if (!processes_.contains(id)) return;
  constexpr Ending kEndings[] = {{0, SIGSEGV}, {0, SIGKILL}, {0, SIGTERM}, {1, 0}, {0, 0}};
  Process& process = processes_[id];
  process.ending = kEndings[std::uniform_int_distribution<std::size_t>(0, 4)(dice_)];
  process.gone_at = now_;
  process.ready_at.reset();
}

/// Somebody sends one worker SIGTERM: it drains, and says so.
void World::tell_to_leave(WorkerId id) {
  if (!serves(id)) return;
  Process& process = processes_[id];
  if (process.hung) return;
  process.dismissed = true;
  leave_within(process, 1, 2000);
  obey(fleet_.leaving(id, now_));
}

void World::operate() {
  const double kind = std::uniform_real_distribution<double>(0, 1)(dice_);
  if (kind < 0.55) {
    const Generation generation = generations_.rbegin()->first + 1;
    generations_[generation] = chance(0.3) ? Quality::kDead : chance(0.2) ? Quality::kFrail : Quality::kGood;
    if (chance(0.3)) size_ = new_size();
    size_most_ = std::max(size_most_, size_);
    obey(fleet_.reload(generation, policy_for(size_), now_));
  } else if (kind < 0.97) {
    obey(fleet_.resize(fleet_.target() < 8 && chance(0.5) ? 1 : -1, now_));
    size_most_ = std::max(size_most_, fleet_.slot_limit());
  } else {
    if (stops_++ == 0) stopped_at_ = now_;
    obey(fleet_.stop(chance(0.3), now_));
  }
}

/// The machine, or only its cgroup, stood still; nobody got anything done, nobody is to blame.
void World::suspend() {
  const milliseconds pause = within(3000, 600000);
  now_ += pause;
  stopped_at_ += pause;
  std::vector<Pulse> pulses;
  for (auto& [id, process] : processes_) {
    if (process.ready_at) *process.ready_at += pause;
    if (process.gone_at) *process.gone_at += pause;
    pulses.push_back(Pulse{id, process.beats, process.bytes});
  }
  obey(fleet_.tick(pulses, now_));
}

/// Five quiet minutes, after which everything must be as it was asked for.
void World::calm_down() {
  peaceful_ = true;
  const TimePoint quiet_from = now_ + seconds(285);
  const TimePoint end = now_ + seconds(300);
  std::uint64_t forks_before = 0;
  while (!exited_ && !violation_ && now_ < end) {
    step();
    if (now_ < quiet_from) forks_before = fork_count_;
  }
  if (!violation_) check_calm(forks_before);
  peaceful_ = false;
}

void World::pass_to_next_event() {
  TimePoint first = fleet_.deadline() + within(0, 3);
  WorkerId whose = 0;
  bool exits = false;
  for (const auto& [id, process] : processes_) {
    if (process.gone_at && *process.gone_at < first) {
      first = *process.gone_at;
      whose = id;
      exits = true;
    }
    if (process.ready_at && *process.ready_at < first) {
      first = *process.ready_at;
      whose = id;
      exits = false;
    }
  }
  now_ = std::max(now_, first);
  if (whose == 0) return tick();
  exits ? deliver_exit(whose) : deliver_ready(whose);
}

void World::deliver_ready(WorkerId id) {
  Process& process = processes_[id];
  process.ready_at.reset();
  if (process.hung) return;
  served_ = served_ || !process.dismissed;
  if (!process.dismissed) proven_.insert(process.generation);
  obey(fleet_.ready(id, now_));
  if (chance(0.01)) obey(fleet_.ready(id, now_));
  if (now_ > massacre_until_ || !processes_.contains(id)) return;
  processes_[id].ending = Ending{0, SIGKILL};
  leave_within(processes_[id], 0, 1);
}

void World::deliver_exit(WorkerId id) {
  const Ending ending = processes_[id].ending;
  processes_.erase(id);
  obey(fleet_.exited(id, ending, now_));
}

void World::tick() {
  std::vector<Pulse> pulses;
  const bool busy = chance(0.3);  // the machine is at 100 %: some get no turn
  for (auto& [id, process] : processes_) {
    if (!process.hung && !(busy && chance(0.3))) ++process.beats;
    if (process.moves) process.bytes += 100;
    pulses.push_back(Pulse{id, process.beats, process.bytes});
  }
  std::shuffle(pulses.begin(), pulses.end(), dice_);
  obey(fleet_.tick(pulses, now_));
}

WorkerId World::somebody() {
  if (processes_.empty()) return last_id_;
  const auto index = std::uniform_int_distribution<std::size_t>(0, processes_.size() - 1)(dice_);
  return std::next(processes_.begin(), static_cast<std::ptrdiff_t>(index))->first;
}

bool World::chance(double probability) { return std::bernoulli_distribution(probability)(dice_); }

milliseconds World::within(int low, int high) {
  return milliseconds(std::uniform_int_distribution<int>(low, high)(dice_));
}

int World::new_size() { return std::uniform_int_distribution<int>(1, 8)(dice_); }

}  // namespace forklift::sim
