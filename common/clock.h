#pragma once

#include <chrono>

namespace forklift {

/// CLOCK_MONOTONIC: every deadline and every heartbeat is judged by it.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace forklift
