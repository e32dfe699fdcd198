#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/result.h"
#include "worker/loop/flow.h"

namespace forklift {

class MemoryBudget;

/// Anonymous memory for one body, from a MemoryBudget, which gets it back when this goes. Another thread may
/// use the bytes while a job holds it; it is made, grown and dropped on the loop thread.
class BodyBuffer {
 public:
  BodyBuffer() = default;
  BodyBuffer(BodyBuffer&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)),
        id_(other.id_),
        data_(other.data_),
        capacity_(other.capacity_) {}
  BodyBuffer& operator=(BodyBuffer other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(id_, other.id_);
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~BodyBuffer();

  explicit operator bool() const { return budget_ != nullptr; }
  char* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }

 private:
  friend class MemoryBudget;

  MemoryBudget* budget_ = nullptr;
  std::uint64_t id_ = 0;
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
};

/// The memory one worker has for bodies that must lie in one piece. A body starts small and grows with what
/// came of it, so that a slow client holds little more than it sent. The rule:
///
///   - Within `bytes_max` everyone gets what it asks for, in the order of asking.
///   - Where that is spent, the first in line may overdraw, alone: it gets all it asks for until the others
///     have given back enough. Everyone behind it waits.
///
/// So whoever overdraws never waits here, and there is no waiter without one: half-filled bodies cannot wait
/// for each other. No buffer is larger than `buffer_bytes_max`, so all together are never more than
/// `bytes_max` + `buffer_bytes_max`. Who waits has no deadline of its own: whoever waits may leave
/// (forget()).
///
/// Pages are the kernel's until they are touched; buffers of usual sizes are kept warm, within `bytes_max`.
/// Owned by the worker's main; outlives every buffer. Loop thread only.
class MemoryBudget {
 public:
  MemoryBudget(std::size_t bytes_max, std::size_t buffer_bytes_max)
      : bytes_max_(bytes_max), buffer_bytes_max_(buffer_bytes_max) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  ~MemoryBudget();

  /// What a buffer of `bytes` counts for.
  static std::size_t rounded(std::size_t bytes);

  /// Makes `buffer` hold at least `bytes`; what it held stays, perhaps elsewhere. False: `waiter` is resumed
  /// when it should ask again. More than a buffer may have is kNoMemory at once, and so is what the system
  /// refuses.
  Result<bool> grow(BodyBuffer& buffer, std::size_t bytes, Resumer& waiter);

  /// Must be called by a waiter that goes away or needs no more. Harmless otherwise.
  void forget(Resumer& waiter);

  /// It asked in vain, and has not asked again with more luck.
  bool waits(const Resumer& waiter) const;

  std::size_t bytes_in_use() const { return in_use_bytes_; }
  std::size_t bytes_warm() const { return warm_bytes_; }

 private:
  friend class BodyBuffer;
  struct Mapping {
    char* data;
    std::size_t size;
  };

  bool admit(const BodyBuffer& buffer, std::size_t more_bytes, Resumer& waiter);
  Result<void> enlarge(BodyBuffer& buffer, std::size_t size);
  Result<char*> take(std::size_t size);
  void release(Mapping mapping);
  void drop_warm(std::size_t bytes_kept);
  void resume_first();

  std::size_t bytes_max_;
  std::size_t buffer_bytes_max_;
  std::size_t in_use_bytes_ = 0;
  std::size_t warm_bytes_ = 0;
  std::uint64_t last_id_ = 0;
  std::uint64_t overdrawer_id_ = 0;  // 0: nobody
  std::vector<Mapping> warm_;        // the last one back goes out first
  std::vector<Resumer*> waiters_;    // the first stays until it has its buffer
};

}  // namespace forklift
