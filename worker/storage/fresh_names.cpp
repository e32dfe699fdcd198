#include "worker/storage/fresh_names.h"

#include <sys/random.h>
#include <time.h>

#include <cstdio>

#include "common/errno_error.h"
#include "worker/storage/retry.h"

namespace forklift {

Result<std::string> FreshNames::next() {
  const auto digits = random();
  if (!digits) return digits.error();
  const time_t now = ::time(nullptr);
  tm utc{};
  ::gmtime_r(&now, &utc);
  char name[40];
  const std::size_t stamp = ::strftime(name, sizeof name, "%Y%m%dT%H%M%SZ", &utc);
  std::snprintf(name + stamp, sizeof name - stamp, "-%016llx", static_cast<unsigned long long>(*digits));
  return std::string(name);
}

Result<std::uint64_t> FreshNames::random() {
  std::lock_guard lock(mutex_);
  if (left_ == 0) {
    const ssize_t got = retry_eintr([&] { return ::getrandom(random_.data(), sizeof random_, 0); });
    if (got != static_cast<ssize_t>(sizeof random_)) return errno_error("getrandom");
    left_ = random_.size();
  }
  return random_[--left_];
}

}  // namespace forklift
