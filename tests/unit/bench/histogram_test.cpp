#include "bench/load/histogram.h"

#include <utility>
#include <vector>

#include "support/catch.h"

namespace forklift::load {

// The same pairs as in tests/bench/test_load_generators.py: the generator counts what the harness reads.
TEST_CASE("the histogram has the buckets of the harness") {
  const std::vector<std::pair<std::uint64_t, std::size_t>> pairs{{0, 0},
                                                                 {1, 1},
                                                                 {127, 127},
                                                                 {128, 128},
                                                                 {129, 128},
                                                                 {130, 129},
                                                                 {255, 191},
                                                                 {256, 192},
                                                                 {1000, 317},
                                                                 {20000, 590},
                                                                 {500000, 890},
                                                                 {1000000, 954},
                                                                 {20000000, 1228},
                                                                 {4294967295, 1727},
                                                                 {4294967296, 1728},
                                                                 {~std::uint64_t{0}, 3775}};
  for (const auto& [value, index] : pairs) CHECK(Histogram::index_of(value) == index);
  CHECK(Histogram::value_of(127) == 127);
  CHECK(Histogram::value_of(128) == 128.5);
  CHECK(Histogram::value_of(590) == 20095.5);
}

TEST_CASE("every bucket of the histogram holds its own middle") {
  for (std::size_t index = 0; index < 3000; ++index) {
    CHECK(Histogram::index_of(static_cast<std::uint64_t>(Histogram::value_of(index))) == index);
  }
}

TEST_CASE("the histogram knows percentiles, mean and maximum") {
  Histogram histogram;
  CHECK(histogram.percentile(50) == 0);
  CHECK(histogram.mean() == 0);
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.add(value);
  CHECK(histogram.percentile(50) == 50);
  CHECK(histogram.percentile(99) == 99);
  CHECK(histogram.percentile(100) == 100);
  CHECK(histogram.mean() == 50.5);
  CHECK(histogram.max() == 100);
  CHECK(histogram.total() == 100);
}

}  // namespace forklift::load
