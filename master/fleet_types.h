#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/log.h"

namespace forklift {

/// One worker process, from the decision to start it until it is reaped. Never used twice.
using WorkerId = std::uint64_t;

/// One configuration and one worker binary; grows with each reload.
using Generation = std::uint64_t;

/// What the fleet is to be. Comes from the Config, changes with a reload.
struct FleetPolicy {
  int workers = 1;
  milliseconds timeout{30000};             // a loop that stood still that long is replaced; 0: never
  milliseconds graceful_timeout{30000};    // a stop may take that long
  milliseconds drain_idle_timeout{30000};  // a worker ends transfers that stand still that long in a drain
  int max_surge = 1;                       // extra workers that a reload may have at a time
  int old_generations_max = 8;             // that may drain beside the one that serves
};

inline constexpr milliseconds kBootTimeout{30000};  // from the spawn to READY
inline constexpr milliseconds kAbortGrace{3000};    // from a polite end to SIGKILL
inline constexpr milliseconds kLived{5000};         // READY for that long: no longer a young death
inline constexpr milliseconds kBackoffFirst{100};   // after the first young death; doubles
inline constexpr milliseconds kBackoffMax{30000};
inline constexpr int kBootTries = 3;    // of every slot, before a start is given up
inline constexpr int kReloadKills = 3;  // newcomers killed from outside before a roll-back

/// How a process ended, as waitpid(2) tells it.
struct Ending {
  std::int64_t status = 0;
  int signal = 0;  // 0: it exited with `status`
};

/// What was seen of a worker at one moment: what its scoreboard said, only compared with what it said before,
/// and what the kernel says.
struct Pulse {
  WorkerId id;
  std::uint64_t beats;
  std::uint64_t bytes;         // moved by all its connections, either way
  bool at_disk = false;        // it waits for its disk, says the worker
  bool in_the_kernel = false;  // its loop is in a call that no signal ends (proc(5), state D): so for a disk
};

// What the fleet asks of the supervisor, in order.
struct Spawn {
  WorkerId id;
  int slot;
  Generation generation;
};
struct Accept {
  WorkerId id;
};
struct Drain {
  WorkerId id;
  milliseconds limit;
};
struct Stop {
  WorkerId id;
};
struct Kill {
  WorkerId id;
  int signal;
};
struct Note {
  log::Level level;
  std::string text;
};
struct Exit {
  int code;
};

using Action = std::variant<Spawn, Accept, Drain, Stop, Kill, Note, Exit>;
using Actions = std::vector<Action>;

}  // namespace forklift
