#pragma once

#include "worker/loop/timer.h"
#include "worker/upload/body_sink.h"

namespace forklift {

/// Clears away what interrupted uploads of dead workers left, on the disk pool: at once and then every few
/// minutes. Owned by the worker's main; loop thread only.
class Sweeper final : private TimerListener {
 public:
  Sweeper(EventLoop& loop, const UploadServices& services, milliseconds part_age_max);
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;
  ~Sweeper();

  void start();

 private:
  class Job;
  void timer_due() override;

  const UploadServices& services_;
  milliseconds part_age_max_;
  Timer timer_;
  Job* in_flight_ = nullptr;
};

}  // namespace forklift
