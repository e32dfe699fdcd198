#include "bench/load/arrivals.h"

#include <cmath>
#include <vector>

#include "support/catch.h"

namespace forklift::load {
namespace {

std::vector<double> first_s(Arrivals arrivals, std::size_t count) {
  std::vector<double> times;
  for (; times.size() < count; arrivals.advance()) {
    times.push_back(std::chrono::duration<double>(arrivals.next()).count());
  }
  return times;
}

}  // namespace

TEST_CASE("constant arrivals come at the beginning and every period after it") {
  const auto times = first_s(Arrivals(Arrivals::Kind::kConstant, 4, 1), 4);
  CHECK(times == std::vector<double>{0, 0.25, 0.5, 0.75});
}

TEST_CASE("constant arrivals keep their rate for an hour though a period is no whole number") {
  const auto times = first_s(Arrivals(Arrivals::Kind::kConstant, 333.3, 1), 1'200'000);
  CHECK(std::abs(times.back() - 1'199'999 / 333.3) < 1e-6);
}

TEST_CASE("poisson arrivals have their rate and the spread of their kind") {
  const std::size_t count = 100'000;
  const auto times = first_s(Arrivals(Arrivals::Kind::kPoisson, 1000, 7), count);
  double squares = 0;
  double last = 0;
  for (const double time : times) {
    REQUIRE(time >= last);
    squares += (time - last) * (time - last);
    last = time;
  }
  const double mean = last / static_cast<double>(count);
  const double deviation = std::sqrt(squares / static_cast<double>(count) - mean * mean);
  CHECK(mean > 0.98e-3);
  CHECK(mean < 1.02e-3);
  CHECK(deviation > 0.97 * mean);  // an exponential distribution's is its mean; a constant one's is nought
  CHECK(deviation < 1.03 * mean);
}

TEST_CASE("poisson arrivals are the same for the same seed and others for another") {
  const auto of = [](std::uint64_t seed) { return first_s(Arrivals(Arrivals::Kind::kPoisson, 10, seed), 5); };
  CHECK(of(1) == of(1));
  CHECK(of(1) != of(2));
}

}  // namespace forklift::load
