#pragma once

#include <memory>
#include <vector>

#include "common/channel.h"
#include "worker/ground.h"
#include "worker/http/server.h"
#include "worker/loop/signals.h"
#include "worker/loop/timer.h"

namespace forklift {

/// The life of a worker process: ready → serving → draining → gone, as the master's messages say, or its own
/// signals where it runs alone. Made in main; when it is over nothing of it keeps the loop alive.
class Lifecycle final : private ReadinessListener,
                        private SignalListener,
                        private DrainListener,
                        private TimerListener {
 public:
  Lifecycle(const ConnectionServices& services, Server& server, Ground& ground);
  ~Lifecycle();

  void start();

 private:
  void ready() override;  // the channel
  void signalled(int signal) override;
  void drained() override;
  void timer_due() override;  // the drain took too long

  void watch(int signal);
  void obey(Message message);
  void drain(milliseconds allowed, bool last_holder);
  void stop();
  void reopen_logs();
  void log_cut() const;
  void end();

  const ConnectionServices& services_;
  Server& server_;
  Ground& ground_;
  std::unique_ptr<Readiness> channel_;
  std::vector<std::unique_ptr<SignalWatch>> signals_;
  Timer drain_limit_;
  bool draining_ = false;
  bool over_ = false;
};

}  // namespace forklift
