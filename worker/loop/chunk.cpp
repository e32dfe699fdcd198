#include "worker/loop/chunk.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace forklift {

SlabRef::~SlabRef() {
  if (slab_ != nullptr && --slab_->shares_ == 0) slab_->pool_->release(slab_);
}

SlabPool::SlabPool(std::size_t bytes_max, std::size_t free_slabs_max)
    : slabs_max_(std::max<std::size_t>(bytes_max / kSlabBytes, 2)), free_slabs_max_(free_slabs_max) {}

SlabPool::~SlabPool() {
  if (in_use_ != 0) std::abort();  // a share would outlive its pool
  for (Slab* slab : free_) {
    std::free(slab->data_);
    delete slab;
  }
}

SlabRef SlabPool::acquire(Resumer& waiter) {
  if (in_use_ == slabs_max_) {
    if (std::find(waiters_.begin(), waiters_.end(), &waiter) == waiters_.end()) waiters_.push_back(&waiter);
    return SlabRef();
  }
  std::erase(waiters_, &waiter);
  return acquire_now();
}

SlabRef SlabPool::acquire_now() {
  if (in_use_ == slabs_max_) return SlabRef();
  ++in_use_;
  if (!free_.empty()) {
    Slab* slab = free_.back();
    free_.pop_back();
    return SlabRef(slab);
  }
  auto* slab = new Slab;
  slab->data_ = static_cast<std::byte*>(std::aligned_alloc(kSlabAlignment, kSlabBytes));
  if (slab->data_ == nullptr) throw std::bad_alloc();
  slab->pool_ = this;
  return SlabRef(slab);
}

void SlabPool::forget(Resumer& waiter) {
  std::erase(waiters_, &waiter);
  // It may have been resumed and never come for its slab: that turn is the next one's.
  if (in_use_ < slabs_max_) resume_next();
}

void SlabPool::release(Slab* slab) {
  --in_use_;
  if (slab->ring_index() >= 0 || free_.size() < free_slabs_max_) {
    free_.push_back(slab);
  } else {
    std::free(slab->data_);
    delete slab;
  }
  resume_next();
}

void SlabPool::resume_next() {
  if (waiters_.empty()) return;
  Resumer* next = waiters_.front();
  waiters_.erase(waiters_.begin());
  next->resume();
}

}  // namespace forklift
