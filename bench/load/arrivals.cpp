#include "bench/load/arrivals.h"

namespace forklift::load {

Arrivals::Arrivals(Kind kind, double rate, std::uint64_t seed)
    : kind_(kind), rate_(rate), random_(seed), gap_s_(rate) {
  if (kind_ == Kind::kPoisson) advance();
}

void Arrivals::advance() {
  // Constant gaps are not added up: rounding would change the rate.
  at_s_ = kind_ == Kind::kConstant ? static_cast<double>(++number_) / rate_ : at_s_ + gap_s_(random_);
  next_ = nanoseconds(static_cast<std::int64_t>(at_s_ * 1e9));
}

}  // namespace forklift::load
