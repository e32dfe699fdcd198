#include "worker/storage/part_clock.h"

#include <time.h>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"

namespace forklift {
namespace {

bool is_later(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/// Whether each of so many writes within microseconds gets a time of its own; one alone may meet a step.
bool has_fine_times(PartFile& part) {
  constexpr int kWrites = 8;
  timespec last{};
  for (int i = 0; i < kWrites; ++i) {
    struct stat status {};
    const std::byte byte{};
    if (!part.write_at({&byte, 1}, 0) || file_ops::stat_fd(part.fd(), status) < 0) return false;
    if (!is_later(status.st_mtim, last)) return false;
    last = status.st_mtim;
  }
  return true;
}

}  // namespace

PartClock PartClock::of(Result<PartFile> part) { return PartClock(part.ok() && has_fine_times(*part)); }

Result<void> PartClock::stamp(const PartFile& part) const {
  if (is_fine_) return {};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (file_ops::set_modified(part.fd(), now) < 0) return errno_error("publish: set time");
  return {};
}

}  // namespace forklift
