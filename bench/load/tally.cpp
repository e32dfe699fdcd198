#include "bench/load/tally.h"

#include <algorithm>
#include <sstream>

namespace forklift::load {
namespace {

std::uint64_t microseconds(Clock::duration duration) {
  const auto count = std::chrono::round<std::chrono::microseconds>(duration).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
}

double ms(double us) { return us / 1e3; }

std::string text_of(const Fates& fates) {
  std::ostringstream out;
  out << "\"requests\": " << fates.requests << ", \"errors\": {";
  const char* comma = "";
  for (const auto& [name, count] : fates.errors) {
    out << comma << '"' << name << "\": " << count;
    comma = ", ";
  }
  out << '}';
  return out.str();
}

std::string text_of(const Histogram& histogram) {
  std::ostringstream out;
  out << '[';
  const char* comma = "";
  for (std::size_t index = 0; index < histogram.counts().size(); ++index) {
    if (histogram.counts()[index] == 0) continue;
    out << comma << '[' << index << ", " << histogram.counts()[index] << ']';
    comma = ", ";
  }
  out << ']';
  return out.str();
}

}  // namespace

void Fates::add(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kOk) {
    ++requests;
  } else {
    ++errors[outcome.name()];
  }
}

void Tally::due(const Arrival& arrival, TimePoint now) {
  if (!arrival.measured) return;
  ++intended_;
  lag_us_.add(microseconds(now - arrival.intended));
}

void Tally::ended(const Arrival& arrival, const Outcome& outcome, bool sent, TimePoint now) {
  if (!arrival.measured) return warm_up_.add(outcome);
  fates_.add(outcome);
  sent_ += sent ? 1 : 0;
  last_ = std::max(last_, now);
  if (outcome.kind != Outcome::Kind::kOk) return;
  body_bytes_ += outcome.body_bytes;
  latency_us_.add(microseconds(now - arrival.intended));
}

double Tally::seconds() const {
  return std::chrono::duration<double>(std::max(last_, until_) - from_).count();
}

std::string Tally::json() const {
  std::ostringstream out;
  out << "{\"seconds\": " << seconds() << ", \"intended\": " << intended_ << ", \"sent\": " << sent_ << ", "
      << text_of(fates_) << ", \"body_bytes\": " << body_bytes_ << ", \"bytes_read\": " << bytes_read
      << ", \"latency_mean_ms\": " << ms(latency_us_.mean())
      << ", \"latency_max_ms\": " << ms(static_cast<double>(latency_us_.max()))
      << ", \"histogram\": " << text_of(latency_us_) << ", \"cpu_s\": " << cpu_s
      << ", \"lag_mean_ms\": " << ms(lag_us_.mean()) << ", \"lag_p99_ms\": " << ms(lag_us_.percentile(99))
      << ", \"lag_max_ms\": " << ms(static_cast<double>(lag_us_.max()))
      << ", \"connections\": " << connections << ", \"queue\": " << queue << ", \"warm_up\": {"
      << text_of(warm_up_) << "}, \"slow\": {\"clients\": " << slow.clients << ", \"open\": " << slow.open
      << ", \"bytes\": " << slow.bytes << ", " << text_of(slow.fates) << "}}\n";
  return out.str();
}

}  // namespace forklift::load
