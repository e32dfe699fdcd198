#pragma once

namespace forklift {

/// Mistakes that the simulator (tests/sim) makes the fleet commit, to see that its checks notice. In every
/// other build planted() is false at compile time and leaves no trace.
enum class Plant : int {
  kNone,
  kDrainBeforeReady,   // a reload drains the old worker when the new one is spawned
  kIgnoreBudget,       // process starts are not counted
  kKillOnGap,          // a pause of the master counts against the workers
  kKillMovingDrain,    // progress does not prolong a drain
  kForgetDead,         // a dead worker's slot stays empty
  kExitWhenEmpty,      // a fleet that has served exits when its last worker dies
  kReloadAllAtOnce,    // a reload starts all newcomers at the same time
  kNoCanary,           // it does not wait for the first one to be ready
  kPileUpGenerations,  // old generations are not counted
  kCutForRoom,         // where there are too many, the oldest is stopped
  kKeepBadGeneration,  // a failed reload is not rolled back
  kForgetAccept,       // who is ready is not let in
  kReuseIds,           // a new worker gets the id of the one before
  kSpawnOutdated,      // an empty slot gets a generation that is gone
  kHearLateReady,      // who was sent away is let in when it is ready
  kDrainBooting,       // who boots is drained
  kExitEarly,          // a stop does not wait for the workers
  kTalkToDead,         // who was reaped is told to stop
  kNeverKill,          // who does not go is left there
  kSkipSlot,           // a reload forgets the first slot
};

#ifdef FORKLIFT_PLANT
inline Plant planted_now = Plant::kNone;
inline bool planted(Plant mistake) { return planted_now == mistake; }
#else
constexpr bool planted(Plant) { return false; }
#endif

}  // namespace forklift
