#pragma once

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

class NameLocks;

/// A name that nobody else changes; freed by its end, and by the end of the process.
class NameLock {
 public:
  NameLock(NameLock&& other) noexcept
      : locks_(other.locks_), description_(std::move(other.description_)), offset_(other.offset_) {}
  NameLock& operator=(NameLock&&) = delete;
  ~NameLock();

 private:
  friend class NameLocks;
  NameLock(const NameLocks& locks, UniqueFd description, off_t offset)
      : locks_(locks), description_(std::move(description)), offset_(offset) {}

  const NameLocks& locks_;
  UniqueFd description_;
  off_t offset_;
};

/// One lock a name, over all threads and processes of one root: from the look at what stands at a name to the
/// change of it. Whoever replaces or removes a file holds it; who creates one where none is need not, as
/// the system does that in one step and a holder never sees it happen to a file that is there. So an upload
/// under a new name costs no system call more, a replacement two. Whoever removes empty directories holds the
/// name of their tree, '/' and the first part of theirs, as does who creates a file in one that keeps going.
///
/// A lock is one byte of the empty file <root>/.forklift/locks (fcntl(2), F_OFD_SETLK) at the 63-bit hash of
/// the name: no file a name, nothing to sweep, and names of one hash merely wait for each other. Such a lock
/// belongs to an open file description, so each holder has one of its own, kept for the next: as many as
/// threads held locks at once. The file must not be removed while a server runs.
///
/// Owned by a FileStore; any thread.
class NameLocks {
 public:
  /// `directory` is the private directory.
  explicit NameLocks(UniqueFd directory, std::chrono::milliseconds wait_max = std::chrono::seconds(5))
      : directory_(std::move(directory)), wait_max_(wait_max) {}
  NameLocks(const NameLocks&) = delete;
  NameLocks& operator=(const NameLocks&) = delete;

  /// Waits for whoever holds the name, some microseconds as a rule, at most `wait_max` (then kBusy): a
  /// process that was stopped while it held a name must take neither the loop nor the disk pool with it, and
  /// F_OFD_SETLKW knows no timeout.
  Result<NameLock> hold(std::string_view name) const;

 private:
  friend class NameLock;
  Result<UniqueFd> take() const;
  void give_back(UniqueFd description, off_t offset) const;

  UniqueFd directory_;
  std::chrono::milliseconds wait_max_;
  mutable std::mutex mutex_;
  mutable std::vector<UniqueFd> idle_;
};

}  // namespace forklift
