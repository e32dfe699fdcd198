#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "bench/load/histogram.h"
#include "bench/load/outcome.h"

namespace forklift::load {

/// Answers and errors of some requests.
struct Fates {
  std::uint64_t requests = 0;  // 2xx, whole
  std::map<std::string, std::uint64_t> errors;

  void add(const Outcome& outcome);
};

/// Everything that is counted in a run. The warm-up's requests have fates and nothing else.
class Tally {
 public:
  Tally(TimePoint measured_from, TimePoint measured_until) : from_(measured_from), until_(measured_until) {}

  /// A request was noticed to be due at `now`: what it is late by is the generator's own doing.
  void due(const Arrival& arrival, TimePoint now);

  /// It is through. `sent`: the server got some of it.
  void ended(const Arrival& arrival, const Outcome& outcome, bool sent, TimePoint now);

  /// One line of JSON; bench/harness/open_loop.py reads it.
  std::string json() const;

  struct Slow {
    std::uint64_t clients = 0;
    std::uint64_t open = 0;  // connected when the load ended
    std::uint64_t bytes = 0;
    Fates fates;
  };

  Slow slow;
  double cpu_s = 0;               // of this process, since the warm-up
  std::uint64_t bytes_read = 0;   // by this process, since the warm-up
  std::uint64_t connections = 0;  // most that were open at a time
  std::uint64_t queue = 0;        // most that waited for one at a time

 private:
  double seconds() const;

  TimePoint from_;
  TimePoint until_;
  TimePoint last_{};
  std::uint64_t intended_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t body_bytes_ = 0;
  Fates fates_;
  Fates warm_up_;
  Histogram latency_us_;
  Histogram lag_us_;
};

}  // namespace forklift::load
