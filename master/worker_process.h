#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "common/channel.h"
#include "common/fleet_memory.h"
#include "common/inherit.h"
#include "master/fleet_types.h"
#include "master/launch.h"
#include "master/uv_handle.h"

namespace forklift {

/// What a WorkerProcess reports. worker_exited() is the last report, and its WorkerProcess may be destroyed
/// in it.
class WorkerObserver {
 public:
  virtual void worker_said(WorkerId id, Message message) = 0;
  virtual void worker_babbled(WorkerId id) = 0;  // something that is no message
  virtual void worker_hung_up(WorkerId id) = 0;  // closed its end of the channel
  virtual void worker_exited(WorkerId id, Ending ending) = 0;

 protected:
  ~WorkerObserver() = default;
};

/// One child process of the master, from the spawn until it is reaped: its process id, the master's end of
/// its channel, and its region of the fleet's memory. Owned by the Supervisor.
class WorkerProcess {
 public:
  /// `listeners` become the worker's kFirstListenerFd and so on. Errors: no descriptors, no process, or the
  /// binary cannot be executed. `pool` outlives the worker.
  static Result<std::unique_ptr<WorkerProcess>> start(uv_loop_t& loop, WorkerId id, int slot,
                                                      Generation generation, const Launch& launch,
                                                      const std::vector<int>& listeners, ScoreboardPool& pool,
                                                      WorkerObserver& observer);

  WorkerId id() const { return id_; }
  int pid() const { return uv_process_get_pid(process_.get()); }

  /// A worker that does not listen is the watchdog's affair, so nothing is reported here.
  void tell(Message message);

  void kill(int signal);

  /// Its loop's thread is in a call that no signal ends: proc(5), state D.
  bool is_in_the_kernel() const;

  ScoreboardSnapshot read_scoreboard() const { return scoreboard_.read(); }

 private:
  WorkerProcess(WorkerId id, ScoreboardLease scoreboard, UniqueFd channel, WorkerObserver& observer);

  Result<void> spawn(uv_loop_t& loop, const Inheritance& inheritance, const Launch& launch,
                     std::vector<int> descriptors);
  Result<void> listen(uv_loop_t& loop);
  void receive();

  WorkerId id_;
  ScoreboardLease scoreboard_;
  UniqueFd channel_;
  WorkerObserver& observer_;
  UvHandle<uv_process_t> process_;
  UvHandle<uv_poll_t> readable_;  // after channel_: closed before it
};

}  // namespace forklift
