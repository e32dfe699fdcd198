#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "common/fleet_memory.h"

namespace forklift {

/// Decides for one worker and one listening socket whether a waiting connection is this worker's to take. It
/// is as long as nobody in the fleet has clearly fewer: at most the fewest + a tenth, so that the busiest
/// ends with at most 1.1 × the mean + 1 (docs/decisions/0004-accept-gate.md).
///
/// Only those count who serve; one that boots, drains or is dead says so in its region. One that hangs
/// says nothing: if a connection was left waiting for kPatience, whoever has fewer connections and has not
/// turned its loop meanwhile is passed over until it does. If they do turn and still don't keep up, the gate
/// stays open for a while: fair shares are not worth an idle processor. Reads shared memory only; owned by
/// the Server, loop thread.
class AcceptGate {
 public:
  /// A connection waits for siblings that stand still, then for siblings that turn but don't take it; after
  /// that the gate stays open for so long.
  static constexpr milliseconds kPatience{200};
  static constexpr milliseconds kCrowdedAfter{350};
  static constexpr milliseconds kCrowdedFor{1000};

  /// `fleet` nullptr: everything is this worker's to take.
  AcceptGate(const Scoreboard& own, const FleetView* fleet) : own_(own), fleet_(fleet) {}

  /// A connection waits.
  bool lets_in(TimePoint now);

  /// None does any more.
  void nobody_waits() { shut_since_.reset(); }

 private:
  struct Sibling {
    std::uint64_t beats = 0;  // as last looked at
    bool passed_over = false;
  };

  bool ours();
  bool counts(int region);
  void remember_beats();
  void pass_over_who_stood_still();

  const Scoreboard& own_;
  const FleetView* fleet_;
  std::vector<Sibling> siblings_;        // by region
  std::optional<TimePoint> shut_since_;  // a connection has been waiting since
  TimePoint open_until_;
};

}  // namespace forklift
