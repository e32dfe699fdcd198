#pragma once

#include "worker/http/activity.h"

namespace forklift {

/// While it lives, SIGABRT makes the process say on standard error where it stands (a backtrace of the thread
/// that took the signal, which is the loop's unless that blocks it) and what its connections were doing,
/// before it dies of the signal. The master sends SIGABRT to a worker whose loop stands still. At most one a
/// process; made in main.
class AbortDump {
 public:
  explicit AbortDump(const ActivityBoard& activities);
  AbortDump(const AbortDump&) = delete;
  AbortDump& operator=(const AbortDump&) = delete;
  ~AbortDump();
};

}  // namespace forklift
