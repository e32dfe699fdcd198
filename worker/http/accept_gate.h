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
/// says nothing: whoever has not turned its loop while connections waited for kPatience, all in all, is
/// passed over until it does. If they do turn and still don't keep up, fair shares are not worth an idle
/// processor: the gate opens, sooner the fewer siblings have fewer, for one connection after the other; and
/// for all that waits before the first has waited for half a second. Reads shared memory only; owned by the
/// Server, loop thread.
class AcceptGate {
 public:
  /// Connections wait for siblings that stand still, then for siblings that turn but don't take them.
  static constexpr milliseconds kPatience{200};
  static constexpr milliseconds kCrowdedAfter{300};

  /// So much later for each sibling but one that has fewer, and then one connection in so much time; at last
  /// all.
  static constexpr milliseconds kCrowdedStep{20};
  static constexpr milliseconds kOpenAfter{400};

  /// `fleet` nullptr: everything is this worker's to take.
  AcceptGate(const Scoreboard& own, const FleetView* fleet) : own_(own), fleet_(fleet) {}

  /// A connection waits. Once this said no, somebody has to look every few milliseconds whether one still
  /// does.
  bool lets_in(TimePoint now);

  /// None does any more.
  void nobody_waits() { shut_since_.reset(); }

 private:
  struct Sibling {
    std::uint64_t beats = 0;            // as last looked at
    TimePoint::duration stood_still{};  // so long did connections wait since
  };

  int siblings_with_fewer();
  bool counts(int region) const;
  void look_who_turns(TimePoint now);
  bool crowded(TimePoint now, int with_fewer);

  const Scoreboard& own_;
  const FleetView* fleet_;
  std::vector<Sibling> siblings_;        // by region
  std::optional<TimePoint> shut_since_;  // a connection has been waiting since
  TimePoint looked_;                     // at the siblings, while it waits
  TimePoint next_if_crowded_;
};

}  // namespace forklift
