#pragma once

#include <uv.h>

#include <array>
#include <csignal>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config.h"
#include "common/listener.h"
#include "common/pid_file.h"
#include "master/config_check.h"
#include "master/fleet.h"
#include "master/launch.h"
#include "master/uv_handle.h"
#include "master/worker_process.h"

namespace forklift {

/// What the master was started with; a reload reads the configuration anew from it.
struct StartedWith {
  std::vector<std::string> arguments;    // without the program's name
  std::vector<std::string> environment;  // "NAME=VALUE"
};

/// The master: holds the listening sockets, and does with processes, signals and time what the Fleet decides.
/// Lives in main for the whole life of the process. Single thread, and nothing in it blocks.
class Supervisor : private WorkerObserver, private ConfigCheckObserver {
 public:
  /// What it handles from prepare() on; main holds them back until then.
  static constexpr std::array kSignals{SIGTERM, SIGINT,  SIGQUIT, SIGHUP, SIGTTIN,
                                       SIGTTOU, SIGUSR1, SIGUSR2, SIGCHLD};

  Supervisor(Config config, StartedWith started_with);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Takes the pid file, the addresses and the worker's binary. The error is a sentence; nothing is left
  /// behind by a failure but destroying the Supervisor.
  Result<void, std::string> prepare();

  /// Until told to stop. The exit code: 0, or 3 when no worker ever became ready.
  int run();

 private:
  // Inputs
  void worker_said(WorkerId id, Message message) override;
  void worker_babbled(WorkerId id) override;
  void worker_hung_up(WorkerId id) override;
  void worker_exited(WorkerId id, Ending ending) override;
  void signalled(int signal);
  void stop(bool quick);
  void reopen_logs();
  void tick();
  void reap_strangers();
  bool is_ours(int pid) const;
  void reload();
  void config_checked(std::optional<std::string> problem) override;
  Result<void, std::string> prepare_reload();
  void adopt();
  void close_unwanted();

  // The fleet's decisions
  void decide(Actions actions);
  void perform(const Spawn& spawn);
  void perform(const Accept& accept);
  void perform(const Drain& drain);
  void perform(const Stop& stop);
  void perform(const Kill& kill);
  void perform(const Note& note);
  void perform(const Exit& exit);

  static FleetPolicy policy_of(const Config& config);
  void watch_signals();
  void arm_timer();
  void announce();
  void forget_old_eras();
  TimePoint now();
  WorkerProcess* find(WorkerId id);
  std::vector<int> listening(const Config& config) const;

  /// What a generation is made of, for as long as one of its workers may be started.
  struct Era {
    Config config;
    Launch launch;
  };

  /// An address of a generation that has served stays until the master ends: closing it would reset the
  /// connections in its queue.
  struct HeldListener {
    std::unique_ptr<Listener> listener;
    bool adopted;
  };

  Config config_;  // of the generation that serves
  StartedWith started_with_;
  std::optional<PidFile> pid_file_;
  std::vector<HeldListener> listeners_;
  std::map<Generation, Era> eras_;
  Generation last_generation_ = 1;
  Generation adopted_generation_ = 1;

  uv_loop_t loop_;
  std::vector<std::unique_ptr<UvHandle<uv_signal_t>>> signals_;
  std::unique_ptr<UvHandle<uv_timer_t>> timer_;

  Fleet fleet_;
  std::unique_ptr<ScoreboardPool> scoreboards_;  // before workers_: outlives their leases
  std::unique_ptr<ConfigCheck> check_;           // of the reload that is being prepared
  bool reload_again_ = false;                    // asked for meanwhile
  std::map<WorkerId, std::unique_ptr<WorkerProcess>> workers_;
  std::deque<Action> todo_;
  bool performing_ = false;
  bool announced_ = false;
  std::optional<int> exit_code_;
};

}  // namespace forklift
