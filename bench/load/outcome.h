#pragma once

#include <cstdint>
#include <string>

#include "common/clock.h"

namespace forklift::load {

/// One request that is meant to be.
struct Arrival {
  std::uint64_t number = 0;
  TimePoint intended{};
  bool measured = false;  // not of the warm-up
};

/// What became of a request.
struct Outcome {
  enum class Kind : std::uint8_t {
    kOk,         // 2xx, whole
    kConnect,    // no connection
    kReset,      // the connection ended before the answer began, or was reset
    kTimeout,    // no whole answer in time, counted from the intended start
    kStatus,     // whole, but not 2xx
    kShortBody,  // fewer bytes than the head says, or than were expected
    kLongBody,   // more than were expected
    kEarly,      // 2xx before the body of the request was sent
    kMalformed,  // no HTTP, or more than was asked for
  };

  Kind kind = Kind::kOk;
  int status = 0;
  std::uint64_t body_bytes = 0;
  bool reusable = false;  // the connection may take another request

  /// "ok", "connect", "status 503": what it is counted under.
  std::string name() const;
};

}  // namespace forklift::load
