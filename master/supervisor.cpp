#include "master/supervisor.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>
#include <system_error>
#include <utility>

#include "common/log.h"
#include "common/privileges.h"
#include "common/process_start.h"

namespace forklift {
namespace {

std::string sentence_of(const Error& error) {
  return log::text("could not be started (", error.operation, ": ",
                   std::generic_category().message(error.os_error), ')');
}

}  // namespace

FleetPolicy Supervisor::policy_of(const Config& config) {
  return FleetPolicy{.workers = config.workers,
                     .timeout = config.timeout,
                     .graceful_timeout = config.graceful_timeout,
                     .drain_idle_timeout = config.drain_idle_timeout,
                     .max_surge = config.max_surge,
                     .old_generations_max = config.old_generations_max};
}

Supervisor::Supervisor(Config config, StartedWith started_with)
    : config_(std::move(config)),
      started_with_(std::move(started_with)),
      loop_(),
      fleet_(policy_of(config_), std::random_device()()) {
  uv_loop_init(&loop_);
}

Supervisor::~Supervisor() {
  check_.reset();
  workers_.clear();
  signals_.clear();
  timer_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks free the handles
  uv_loop_close(&loop_);
}

Result<void, std::string> Supervisor::prepare() {
  watch_signals();  // first: whoever reads the pid file may signal at once
  const auto owner = owner_of(config_.user, config_.group);
  if (!owner) return owner.error();
  if (!config_.pid_file.empty()) {
    auto pid_file = PidFile::create(config_.pid_file);
    if (!pid_file) return pid_file.error();
    pid_file_.emplace(std::move(*pid_file));
  }
  auto listeners = open_listeners(config_.bind, config_.backlog, *owner);
  if (!listeners) return listeners.error();
  for (Listener& listener : *listeners) {
    listeners_.push_back({std::make_unique<Listener>(std::move(listener)), true});
  }
  auto scoreboards = ScoreboardPool::create();
  if (!scoreboards) {
    const Error& error = scoreboards.error();
    return log::text("no scoreboards (", error.operation, ": ",
                     std::generic_category().message(error.os_error), ')');
  }
  scoreboards_ = *std::move(scoreboards);
  auto launch = Launch::prepare(config_, started_with_.environment);
  if (!launch) return launch.error();
  eras_.emplace(last_generation_, Era{config_, std::move(*launch)});
  return {};
}

int Supervisor::run() {
  log::info("forklift ", FORKLIFT_VERSION, ": ", config_.workers, " workers of ",
            eras_.begin()->second.launch.found_at());
  for (const HeldListener& held : listeners_) log::info("listening on ", held.listener->url());
  timer_ = std::make_unique<UvHandle<uv_timer_t>>(this);
  uv_timer_init(&loop_, timer_->get());
  timer_->opened();
  decide(fleet_.start(now()));
  uv_run(&loop_, UV_RUN_DEFAULT);
  return exit_code_.value_or(1);
}

void Supervisor::worker_said(WorkerId id, Message message) {
  switch (message.kind) {
    case MessageKind::kReady:
      if (message.value != kAbi) {
        const std::string reason = log::text("speaks ABI ", message.value, ", this master speaks ", kAbi);
        return decide(fleet_.broke_contract(id, reason, now()));
      }
      return decide(fleet_.ready(id, now()));
    case MessageKind::kDrained:
      return log::debug("worker ", id, " has drained");
    case MessageKind::kLeaving:
      return decide(fleet_.leaving(id, now()));
    default:
      return decide(fleet_.broke_contract(id, "sent a message that is the master's", now()));
  }
}

void Supervisor::worker_babbled(WorkerId id) {
  decide(fleet_.broke_contract(id, "sent something that is no message", now()));
}

void Supervisor::worker_hung_up(WorkerId id) { decide(fleet_.channel_closed(id, now())); }

void Supervisor::worker_exited(WorkerId id, Ending ending) {
  workers_.erase(id);
  decide(fleet_.exited(id, ending, now()));
}

void Supervisor::signalled(int signal) {
  switch (signal) {
    case SIGTERM:
      return stop(false);
    case SIGINT:
    case SIGQUIT:
      return stop(true);
    case SIGHUP:
      return reload();
    case SIGTTIN:
      return decide(fleet_.resize(+1, now()));
    case SIGTTOU:
      return decide(fleet_.resize(-1, now()));
    case SIGCHLD:  // libuv has its own, for those it has started
      return reap_strangers();
    case SIGUSR1:
      return reopen_logs();
    default:
      return log::warning("SIG", ::sigabbrev_np(signal),
                          " (upgrade of the master) is not supported: ignored");
  }
}

void Supervisor::stop(bool quick) {
  decide(fleet_.stop(quick, now()));
  listeners_.clear();  // the workers answer what is queued; the last one to close frees the address
}

void Supervisor::reopen_logs() {
  log::info("telling the workers to open their access logs anew");
  for (const auto& [id, worker] : workers_) worker->tell({MessageKind::kReopen});
}

/// As process 1 of a container the master inherits whatever loses its parent; nobody else reaps those.
void Supervisor::reap_strangers() {
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    // Ours are libuv's to reap; who waits behind one of them is met at the next tick.
    if (is_ours(ended.si_pid)) return;
    log::debug("reaped process ", ended.si_pid, ", a stranger");
    (void)::waitpid(ended.si_pid, nullptr, WNOHANG);
  }
}

bool Supervisor::is_ours(int pid) const {
  if (check_ != nullptr && check_->pid() == pid) return true;
  return std::any_of(workers_.begin(), workers_.end(),
                     [pid](const auto& worker) { return worker.second->pid() == pid; });
}

void Supervisor::tick() {
  reap_strangers();
  std::vector<Pulse> pulses;
  for (const auto& [id, worker] : workers_) {
    const ScoreboardSnapshot board = worker->read_scoreboard();
    pulses.push_back(Pulse{id, board.beats, board.bytes_received + board.bytes_sent,
                           board.disk_job_since_ms != 0, worker->is_in_the_kernel()});
  }
  decide(fleet_.tick(pulses, now()));
}

void Supervisor::decide(Actions actions) {
  todo_.insert(todo_.end(), std::make_move_iterator(actions.begin()), std::make_move_iterator(actions.end()));
  // A spawn that fails is an event of its own: its consequences come after what was decided before.
  if (std::exchange(performing_, true)) return;
  while (!todo_.empty()) {
    const Action action = std::move(todo_.front());
    todo_.pop_front();
    std::visit([this](const auto& each) { perform(each); }, action);
  }
  performing_ = false;
  if (exit_code_) return;
  forget_old_eras();
  announce();
  arm_timer();
}

void Supervisor::perform(const Spawn& spawn) {
  const Era& era = eras_.at(spawn.generation);
  auto worker = WorkerProcess::start(loop_, spawn.id, spawn.slot, spawn.generation, era.launch,
                                     listening(era.config), *scoreboards_, *this);
  if (!worker) return decide(fleet_.spawn_failed(spawn.id, sentence_of(worker.error()), now()));
  log::info("worker ", spawn.id, " (slot ", spawn.slot, ", generation ", spawn.generation, ") is process ",
            (*worker)->pid());
  workers_.emplace(spawn.id, std::move(*worker));
}

void Supervisor::perform(const Accept& accept) {
  if (WorkerProcess* const worker = find(accept.id)) worker->tell({MessageKind::kAccept});
}

void Supervisor::perform(const Drain& drain) {
  WorkerProcess* const worker = find(drain.id);
  if (worker == nullptr) return;
  log::debug("worker ", drain.id, " is told to drain");
  worker->tell({MessageKind::kDrain, static_cast<std::uint64_t>(drain.limit.count())});
}

void Supervisor::perform(const Stop& stop) {
  if (WorkerProcess* const worker = find(stop.id)) worker->tell({MessageKind::kStop});
}

void Supervisor::perform(const Kill& kill) {
  if (WorkerProcess* const worker = find(kill.id)) worker->kill(kill.signal);
}

void Supervisor::perform(const Note& note) {
  if (log::enabled(note.level)) log::write(note.level, note.text);
}

void Supervisor::perform(const Exit& exit) {
  const ScoreboardSnapshot all = scoreboards_->totals();
  log::info("answered ", all.requests, " requests on ", all.accepted, " connections, published ",
            all.uploads_committed, " uploads, broke off ", all.downloads_broken, " downloads");
  exit_code_ = exit.code;
  check_.reset();
  signals_.clear();
  timer_.reset();
}

void Supervisor::watch_signals() {
  for (const int number : kSignals) {
    auto handle = std::make_unique<UvHandle<uv_signal_t>>(this);
    uv_signal_init(&loop_, handle->get());
    handle->opened();
    const auto caught = [](uv_signal_t* signal, int signum) {
      static_cast<Supervisor*>(signal->data)->signalled(signum);
    };
    uv_signal_start(handle->get(), caught, number);
    signals_.push_back(std::move(handle));
  }
  hear_signals();
}

void Supervisor::arm_timer() {
  const auto left = std::chrono::ceil<milliseconds>(fleet_.deadline() - now());
  const auto due = [](uv_timer_t* timer) { static_cast<Supervisor*>(timer->data)->tick(); };
  uv_timer_start(timer_->get(), due, static_cast<std::uint64_t>(std::max<std::int64_t>(0, left.count())), 0);
}

void Supervisor::announce() {
  if (announced_ || fleet_.serving() < fleet_.target()) return;
  announced_ = true;
  log::info(fleet_.target(), fleet_.target() == 1 ? " worker serves" : " workers serve");
}

void Supervisor::forget_old_eras() {
  if (fleet_.stable_generation() != adopted_generation_) adopt();
  std::erase_if(eras_, [this](const auto& entry) { return !fleet_.may_spawn(entry.first); });
  close_unwanted();
}

TimePoint Supervisor::now() { return Clock::now(); }

WorkerProcess* Supervisor::find(WorkerId id) {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : found->second.get();
}

}  // namespace forklift
