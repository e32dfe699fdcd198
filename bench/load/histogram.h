#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace forklift::load {

/// Counts of whole numbers (microseconds here) in log-linear buckets: 64 to a power of two, so within 1.6 %.
/// An index below 128 is the value itself. The same buckets as Histogram in bench/harness/stats.py, which
/// reads them.
class Histogram {
 public:
  static constexpr unsigned kSubBits = 6;

  static constexpr std::size_t index_of(std::uint64_t value) {
    const unsigned width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > kSubBits + 1 ? width - kSubBits - 1 : 0;
    return (static_cast<std::size_t>(shift) << kSubBits) + static_cast<std::size_t>(value >> shift);
  }

  /// The middle of a bucket.
  static double value_of(std::size_t index) {
    const std::size_t power = index >> kSubBits;
    const unsigned shift = power > 1 ? static_cast<unsigned>(power - 1) : 0;
    const auto base = static_cast<std::uint64_t>(index - (static_cast<std::size_t>(shift) << kSubBits));
    const std::uint64_t width = std::uint64_t{1} << shift;
    return static_cast<double>(base << shift) + static_cast<double>(width - 1) / 2;
  }

  void add(std::uint64_t value) {
    ++counts_[index_of(value)];
    ++total_;
    sum_ += static_cast<double>(value);
    max_ = std::max(max_, value);
  }

  std::uint64_t total() const { return total_; }
  std::uint64_t max() const { return max_; }
  double mean() const { return total_ == 0 ? 0 : sum_ / static_cast<double>(total_); }

  /// The value that `percent` of all are not above; 0 when there are none.
  double percentile(double percent) const {
    double left = std::ceil(static_cast<double>(total_) * percent / 100);
    for (std::size_t index = 0; total_ > 0 && index < counts_.size(); ++index) {
      left -= static_cast<double>(counts_[index]);
      if (left <= 0 && counts_[index] > 0) return value_of(index);
    }
    return 0;
  }

  /// By index.
  std::span<const std::uint64_t> counts() const { return counts_; }

 private:
  std::array<std::uint64_t, ((64 - kSubBits) << kSubBits) + (1 << kSubBits)> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace forklift::load
