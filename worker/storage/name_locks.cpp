#include "worker/storage/name_locks.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"

namespace forklift {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr microseconds kPauseMax(1000);

/// FNV-1a: the same in every build, as workers of two releases share the file during a reload.
off_t offset_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : name) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return static_cast<off_t>(hash >> 1);
}

}  // namespace

NameLock::~NameLock() {
  if (description_) locks_.give_back(std::move(description_), offset_);
}

Result<NameLock> NameLocks::hold(std::string_view name) const {
  auto description = take();
  if (!description) return description.error();
  const off_t offset = offset_of(name);
  if (file_ops::lock_byte(description->get(), offset) == 0) {
    return NameLock(*this, std::move(*description), offset);
  }
  const auto deadline = steady_clock::now() + wait_max_;
  for (microseconds pause(20); errno == EAGAIN || errno == EACCES; pause = std::min(2 * pause, kPauseMax)) {
    if (steady_clock::now() >= deadline) return Error{ErrorCode::kBusy, "lock name"};
    std::this_thread::sleep_for(pause);
    if (file_ops::lock_byte(description->get(), offset) == 0) {
      return NameLock(*this, std::move(*description), offset);
    }
  }
  return errno_error("lock name");
}

Result<UniqueFd> NameLocks::take() const {
  {
    std::lock_guard guard(mutex_);
    if (!idle_.empty()) {
      UniqueFd description = std::move(idle_.back());
      idle_.pop_back();
      return description;
    }
  }
  UniqueFd description(retry_eintr([&] {
    return file_ops::open_at(directory_.get(), "locks", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  }));
  if (!description) return errno_error("open locks");
  return description;
}

void NameLocks::give_back(UniqueFd description, off_t offset) const {
  // What cannot be unlocked is closed, which unlocks it.
  if (file_ops::unlock_byte(description.get(), offset) < 0) return;
  std::lock_guard guard(mutex_);
  idle_.push_back(std::move(description));
}

}  // namespace forklift
