#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/clock.h"
#include "worker/loop/event_loop.h"
#include "worker/storage/file_store.h"

namespace forklift {

/// Which parts of files can be sent without waiting for a disk. One a worker, owned by its main; outlives
/// every source. Loop thread only.
class PageCache {
 public:
  explicit PageCache(const EventLoop& loop) : loop_(loop) {}

  /// Whether all of the file from `begin` to before `end` (more) is in memory. Never waits. Asks the system
  /// twice, but not for what was found, or brought, there within the last second: files that are in demand
  /// cost nothing. True where the system cannot tell: without cachestat(2), of a file system that has no
  /// RWF_NOWAIT.
  bool holds(const OpenedFile& file, std::uint64_t begin, std::uint64_t end);

  /// That part was just read.
  void brought(const OpenedFile& file, std::uint64_t begin, std::uint64_t end);

 private:
  /// A part of a file that was in memory at some time.
  struct Part {
    dev_t device = 0;
    ino_t inode = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // 0: none
    TimePoint since{};
  };

  Part& slot_of(const OpenedFile& file, std::uint64_t begin);

  const EventLoop& loop_;
  std::array<Part, 256> known_{};  // by a hash of file and place; whoever comes last stays
};

/// The end of the part that is looked for, and read ahead, at once: slow readers of many cold files must not
/// fill the page cache with what they will take an hour to fetch.
inline constexpr std::uint64_t kReadAheadBytes = 1024 * 1024;

inline std::uint64_t read_ahead_end(std::uint64_t offset) {
  return (offset / kReadAheadBytes + 1) * kReadAheadBytes;
}

}  // namespace forklift
