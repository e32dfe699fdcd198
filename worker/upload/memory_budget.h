#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "common/result.h"
#include "worker/loop/flow.h"

namespace forklift {

class MemoryBudget;

/// Anonymous memory for one body, from a MemoryBudget, which gets it back when this goes. Another thread may
/// use the bytes while a job holds it; it is made and dropped on the loop thread.
class BodyBuffer {
 public:
  BodyBuffer() = default;
  BodyBuffer(BodyBuffer&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), data_(other.data_), capacity_(other.capacity_) {}
  BodyBuffer& operator=(BodyBuffer other) noexcept {
    std::swap(budget_, other.budget_);
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
  BodyBuffer(MemoryBudget& budget, char* data, std::size_t capacity)
      : budget_(&budget), data_(data), capacity_(capacity) {}

  MemoryBudget* budget_ = nullptr;
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
};

/// The memory one worker has for bodies that must lie in one piece. Whoever needs some asks for all it may
/// come to need, once, before the first byte: a holder never waits for another, so everyone's turn comes, in
/// the order of asking. Pages are the kernel's until they are touched; buffers of usual sizes are kept warm,
/// within the budget. Owned by the worker's main; outlives every buffer. Loop thread only.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  ~MemoryBudget();

  /// What a buffer of `bytes` counts for.
  static std::size_t rounded(std::size_t bytes);

  /// A buffer of at least `bytes`, or an empty one: then `waiter` is resumed when it should ask again. More
  /// than the whole budget is kNoMemory at once, and so is what the system refuses.
  Result<BodyBuffer> acquire(std::size_t bytes, Resumer& waiter);

  /// Must be called by a waiter that goes away. Harmless otherwise.
  void forget(Resumer& waiter);

  std::size_t bytes_in_use() const { return in_use_bytes_; }
  std::size_t bytes_warm() const { return warm_bytes_; }

 private:
  friend class BodyBuffer;
  struct Mapping {
    char* data;
    std::size_t size;
  };

  void release(Mapping mapping);
  Result<char*> take(std::size_t size);
  void drop_warm(std::size_t bytes_kept);
  void resume_first();

  std::size_t bytes_max_;
  std::size_t in_use_bytes_ = 0;
  std::size_t warm_bytes_ = 0;
  std::vector<Mapping> warm_;      // the last one back goes out first
  std::vector<Resumer*> waiters_;  // the first stays until it has its buffer
};

}  // namespace forklift
