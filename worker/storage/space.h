#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/clock.h"
#include "common/fleet_memory.h"
#include "common/result.h"

namespace forklift {

class FileStore;

/// What came of asking for space on the disk.
struct SpaceAnswer {
  bool given;
  std::uint64_t free_bytes;      // of the file system, for who is not root
  std::uint64_t promised_bytes;  // of these, what uploads under way have yet to write
  std::uint64_t asked_bytes = 0;
  bool promised_away = false;  // to SpaceClaim: given, were it not for what other uploads are promised or ask
};

/// The disk space that uploads of all workers may take together: what is free now, less what other uploads
/// were promised and have not written yet, less what is reserved.
///
/// Each worker says in its scoreboard what its uploads are promised. Who asks announces that first, then adds
/// up what everybody has announced and was promised, then looks what is free: of two that ask at the same
/// time at least one sees the other, so that they never get together what is there but once. What is
/// written is first taken from the disk and then from the promise: in between it counts twice, never not at
/// all. The promises of a worker that dies go with its scoreboard, when the master reaps it.
///
/// What others than uploads write, another fleet's uploads, what the file system needs for itself and quotas
/// are not foreseen. A body counts as long as it is sent: of a form or JSON less may go to the disk.
///
/// One a worker, made in its main; outlives every SpaceClaim and the disk pool.
class SpaceReserve {
 public:
  /// `fleet` is nullptr where the worker runs alone. All must outlive this.
  SpaceReserve(const FileStore& store, Scoreboard& own, const FleetView* fleet, std::uint64_t reserved_bytes)
      : store_(store), own_(own), fleet_(fleet), reserved_bytes_(reserved_bytes) {}
  SpaceReserve(const SpaceReserve&) = delete;
  SpaceReserve& operator=(const SpaceReserve&) = delete;

  std::uint64_t reserved_bytes() const { return reserved_bytes_; }

  /// Of so much that is free, what uploads may have.
  std::uint64_t usable(std::uint64_t free_bytes) const;

  /// Promises `bytes` when a look at the disk a moment ago showed so much more that a look now would too. No
  /// system call. Any thread.
  bool take_if_plenty(std::uint64_t bytes);

  /// Promises `bytes`, or says that they are not there. Blocks: for statvfs(2), and for up to a few
  /// milliseconds where others ask for the same last bytes. Any thread.
  Result<SpaceAnswer> take(std::uint64_t bytes);

  /// Of a promise: they are written now, or never will be. Any thread.
  void settle(std::uint64_t bytes);

 private:
  struct Sums {
    std::uint64_t asked = 0;
    std::uint64_t promised = 0;
  };
  struct Attempt {
    SpaceAnswer answer;
    bool contended;  // it would fit if nobody else asked
  };

  Result<Attempt> try_to_take(std::uint64_t bytes);
  void end_asking(std::uint64_t bytes, bool given);
  Sums sums() const;
  std::uint64_t seen_lately() const;

  const FileStore& store_;
  Scoreboard& own_;
  const FleetView* fleet_;
  std::uint64_t reserved_bytes_;
  mutable std::mutex mutex_;  // of what was seen last
  std::uint64_t seen_bytes_ = 0;
  TimePoint seen_at_{};
};

/// Told once nobody shares a SpaceClaim any more: all parts that it was for are published, or gone from the
/// disk.
class SpaceClaimObserver {
 public:
  /// On the thread that lets go last.
  virtual void claim_gone() = 0;

 protected:
  ~SpaceClaimObserver() = default;
};

/// The disk space that one upload is promised, all its files together. Shared by its connection, its sinks
/// and their parts; the last to go gives back what was not written. Any thread.
class SpaceClaim {
 public:
  /// Every byte of the body goes to the disk `copies` times.
  SpaceClaim(SpaceReserve& reserve, unsigned copies) : reserve_(reserve), copies_(copies) {}
  SpaceClaim(const SpaceClaim&) = delete;
  SpaceClaim& operator=(const SpaceClaim&) = delete;
  ~SpaceClaim() {
    end();
    if (const auto observer = observer_.lock()) observer->claim_gone();
  }

  /// Room for so many more bytes of the body, in whole blocks; see SpaceReserve.
  bool grow_if_plenty(std::uint64_t body_bytes);

  /// The same, blocking; where that is too much, for an eighth and so on, and in the end for `least`.
  Result<SpaceAnswer> grow(std::uint64_t body_bytes, std::uint64_t least);

  /// What a body of unknown length is to ask for next: as much as it has had room for so far, within limits.
  std::uint64_t next_step() const;

  /// For who writes the only file of a claim: room for the first `until` bytes, blocking; where the body's
  /// `size` is known, at once for all of it. kNoSpace: that is not there.
  Result<void> reach(std::uint64_t until, std::optional<std::uint64_t> size);

  /// How much body there has been room for so far.
  std::uint64_t body_bytes() const { return body_bytes_.load(std::memory_order_relaxed); }

  /// So much of it lies on the disk.
  void wrote(std::uint64_t bytes);

  /// Nothing more will be written.
  void end();

  /// Before one's own share is let go.
  void observe(std::weak_ptr<SpaceClaimObserver> observer) { observer_ = std::move(observer); }

 private:
  std::uint64_t disk_bytes(std::uint64_t body_bytes) const;
  Result<SpaceAnswer> as_seen_by_this(Result<SpaceAnswer> answer) const;
  void got(std::uint64_t body_bytes);

  SpaceReserve& reserve_;
  unsigned copies_;
  std::atomic<std::uint64_t> left_bytes_{0};  // promised and not written
  std::atomic<std::uint64_t> body_bytes_{0};
  std::weak_ptr<SpaceClaimObserver> observer_;
};

}  // namespace forklift
