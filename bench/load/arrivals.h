#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace forklift::load {

using std::chrono::nanoseconds;

/// When requests are meant to start. Pure: a schedule that knows neither clock nor server, which is what
/// makes the loop open.
class Arrivals {
 public:
  enum class Kind : std::uint8_t {
    kConstant,  // every 1/rate seconds
    kPoisson,   // independent of each other, `rate` a second on average
  };

  /// `rate` a second, > 0. The same seed gives the same schedule.
  Arrivals(Kind kind, double rate, std::uint64_t seed);

  /// When the next request is meant to start, counted from the beginning of the load; never decreases.
  nanoseconds next() const { return next_; }

  /// Goes on to the one after it.
  void advance();

 private:
  Kind kind_;
  double rate_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_s_;
  std::uint64_t number_ = 0;
  double at_s_ = 0;
  nanoseconds next_{0};
};

}  // namespace forklift::load
