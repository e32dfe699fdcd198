#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config.h"
#include "common/fleet_memory.h"
#include "common/inherit.h"
#include "common/listener.h"
#include "common/pid_file.h"

namespace forklift {

/// What a worker stands on: what its master left it, or what it took itself where it runs alone. Made in
/// main, first of all; outlives everything else of the worker.
class Ground {
 public:
  /// Reads FORKLIFT_INHERIT and unsets it; without it binds, locks and maps by itself. Before privileges are
  /// dropped. The error is a sentence.
  static Result<Ground, std::string> take(const Config& config);

  /// Nothing where the worker runs alone.
  const std::optional<Inheritance>& inherited() const { return inherited_; }

  const std::vector<int>& listening_fds() const { return listening_fds_; }
  Scoreboard& scoreboard() { return scoreboard_->board(); }

  /// The siblings' scoreboards; nullptr where the worker runs alone.
  const FleetView* fleet() const { return fleet_ ? &*fleet_ : nullptr; }

  /// Says in the log where it listens, where that is this process's to say.
  void announce() const;

  /// Closes this process's share in the listening sockets: the addresses are free once nobody holds one.
  void let_go_of_listeners();

 private:
  Result<void, std::string> inherit(const Inheritance& inheritance);
  Result<void, std::string> stand_alone(const Config& config);

  std::optional<Inheritance> inherited_;
  std::vector<UniqueFd> inherited_listeners_;
  std::optional<PidFile> pid_file_;
  std::vector<Listener> listeners_;
  std::vector<int> listening_fds_;
  std::optional<ScoreboardRegion> scoreboard_;
  std::optional<FleetView> fleet_;
};

}  // namespace forklift
