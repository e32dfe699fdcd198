#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "common/limits.h"
#include "worker/loop/flow.h"

namespace forklift {

class SlabPool;
class Slab;

/// Slabs that nobody uses, for the next body: handed out last-in-first-out, so that it lands in memory that
/// is still in the cache. Owned by a SlabPool. Loop thread only.
class FreeSlabs {
 public:
  FreeSlabs() = default;
  FreeSlabs(const FreeSlabs&) = delete;
  FreeSlabs& operator=(const FreeSlabs&) = delete;
  ~FreeSlabs();

  Slab* take();
  void put(Slab* slab);

  /// Half of those that were not needed since the last call go back to the system.
  void trim();

  std::size_t size() const { return free_.size(); }

 private:
  std::vector<Slab*> free_;
  std::size_t fewest_ = 0;  // since the last trim
};

/// One piece of kSlabBytes, aligned to kSlabAlignment, shared by counting. The count is the loop thread's:
/// another thread may read or fill the bytes while a job holds a share, but shares are made and dropped on
/// the loop thread only.
class Slab {
 public:
  std::byte* data() { return data_; }

  /// Which of the worker's ring's registered buffers this is (loop/ring.h); -1: none. Registered memory stays
  /// in the pool for good: the kernel goes on using its pages, whatever the address may mean later.
  int ring_index() const { return ring_index_; }
  void set_ring_index(int index) { ring_index_ = index; }

 private:
  friend class FreeSlabs;
  friend class SlabPool;
  friend class SlabRef;
  std::byte* data_ = nullptr;
  SlabPool* pool_ = nullptr;
  int ring_index_ = -1;
  std::uint32_t shares_ = 0;
};

/// A share in a slab; the last one to go gives the slab back to its pool.
class SlabRef {
 public:
  SlabRef() = default;
  SlabRef(const SlabRef& other) : slab_(other.slab_) {
    if (slab_ != nullptr) ++slab_->shares_;
  }
  SlabRef(SlabRef&& other) noexcept : slab_(std::exchange(other.slab_, nullptr)) {}
  SlabRef& operator=(SlabRef other) noexcept {
    std::swap(slab_, other.slab_);
    return *this;
  }
  ~SlabRef();

  explicit operator bool() const { return slab_ != nullptr; }
  std::byte* data() const { return slab_->data(); }
  Slab& slab() const { return *slab_; }

 private:
  friend class SlabPool;
  explicit SlabRef(Slab* slab) : slab_(slab) { ++slab_->shares_; }
  Slab* slab_ = nullptr;
};

/// The worker's memory for bodies: slabs under a hard budget. When the budget is spent, whoever asks is
/// resumed once a slab comes back: over the budget a worker stops reading, it never fails.
/// Owned by the worker's main; outlives every SlabRef. Loop thread only.
class SlabPool {
 public:
  explicit SlabPool(std::size_t bytes_max);

  /// A budget of its own over the free slabs of `other`, which outlives it and has one such partner at most.
  /// Together they hold at most the larger budget and a quarter of the smaller, so that each is sure of that
  /// quarter.
  SlabPool(std::size_t bytes_max, SlabPool& other);

  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;
  ~SlabPool();

  /// A slab, or an empty reference when the budget is spent: then `waiter` is resumed when one is free
  /// again (first come, first served).
  SlabRef acquire(Resumer& waiter);

  /// A slab, or an empty reference when the budget is spent: for who does without.
  SlabRef acquire_now();

  /// Takes a slab in use over into this budget, whoever else has a share in it. False: the budget is spent.
  bool adopt(Slab& slab);

  /// Gives back to the system what was not needed for a while. To be called every second or so.
  void trim() { free_->trim(); }

  /// Must be called by a waiter that goes away or no longer wants a slab. Harmless otherwise.
  void forget(Resumer& waiter);

  /// It asked, got none, and has not been resumed since.
  bool waits(const Resumer& waiter) const;

  /// Less than half the budget is spent: a slab may be kept for convenience.
  bool plentiful() const { return in_use_ * 2 < slabs_max_; }

  std::size_t bytes_max() const { return slabs_max_ * kSlabBytes; }
  std::size_t bytes_in_use() const { return in_use_ * kSlabBytes; }

 private:
  friend class SlabRef;
  bool spent() const;
  void release(Slab* slab);
  void left();
  void resume_next();

  std::size_t slabs_max_;
  std::size_t in_use_ = 0;
  SlabPool* partner_ = nullptr;
  std::size_t together_max_ = 0;
  FreeSlabs own_;
  FreeSlabs* free_ = &own_;
  std::vector<Resumer*> waiters_;
};

/// A share in a slab and a range of it: bytes on their way. Copying shares the slab, it copies no bytes.
class Chunk {
 public:
  Chunk() = default;
  Chunk(SlabRef slab, std::size_t offset, std::size_t size)
      : slab_(std::move(slab)),
        offset_(static_cast<std::uint32_t>(offset)),
        size_(static_cast<std::uint32_t>(size)) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::byte> bytes() const {
    return empty() ? std::span<const std::byte>() : std::span<const std::byte>(slab_.data() + offset_, size_);
  }
  /// Of a chunk that is not empty.
  Slab& slab() const { return slab_.slab(); }
  std::span<std::byte> mutable_bytes() { return {slab_.data() + offset_, size_}; }

  /// The bytes [offset, offset + size) as a chunk of their own; this keeps all.
  Chunk slice(std::size_t offset, std::size_t size) const {
    return size == 0 ? Chunk() : Chunk(slab_, offset_ + offset, size);
  }

  /// The first `size` bytes as a chunk of their own; this keeps the rest.
  Chunk take_front(std::size_t size) {
    Chunk front(slab_, offset_, size);
    drop_front(size);
    return front;
  }
  void drop_front(std::size_t size) {
    offset_ += static_cast<std::uint32_t>(size);
    size_ -= static_cast<std::uint32_t>(size);
    if (size_ == 0) slab_ = SlabRef();
  }

 private:
  SlabRef slab_;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace forklift
