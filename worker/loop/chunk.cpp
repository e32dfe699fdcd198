#include "worker/loop/chunk.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

namespace forklift {

SlabRef::~SlabRef() {
  if (slab_ != nullptr && --slab_->shares_ == 0) slab_->pool_->release(slab_);
}

FreeSlabs::~FreeSlabs() {
  for (Slab* slab : free_) {
    std::free(slab->data_);
    delete slab;
  }
}

Slab* FreeSlabs::take() {
  if (!free_.empty()) {
    Slab* slab = free_.back();
    free_.pop_back();
    fewest_ = std::min(fewest_, free_.size());
    return slab;
  }
  auto slab = std::make_unique<Slab>();
  slab->data_ = static_cast<std::byte*>(std::aligned_alloc(kSlabAlignment, kSlabBytes));
  if (slab->data_ == nullptr) throw std::bad_alloc();
  return slab.release();
}

void FreeSlabs::put(Slab* slab) { free_.push_back(slab); }

void FreeSlabs::trim() {
  std::size_t going = (fewest_ + 1) / 2;
  // The front has waited longest.
  std::erase_if(free_, [&going](Slab* slab) {
    if (going == 0 || slab->ring_index() >= 0) return false;
    --going;
    std::free(slab->data_);
    delete slab;
    return true;
  });
  fewest_ = free_.size();
}

SlabPool::SlabPool(std::size_t bytes_max) : slabs_max_(std::max<std::size_t>(bytes_max / kSlabBytes, 2)) {}

SlabPool::SlabPool(std::size_t bytes_max, SlabPool& other) : SlabPool(bytes_max) {
  const auto [smaller, larger] = std::minmax(slabs_max_, other.slabs_max_);
  together_max_ = other.together_max_ = larger + std::max<std::size_t>(smaller / 4, 2);
  partner_ = &other;
  other.partner_ = this;
  free_ = other.free_;
}

SlabPool::~SlabPool() {
  if (in_use_ != 0) std::abort();  // a share would outlive its pool
  if (partner_ != nullptr) partner_->partner_ = nullptr;
}

bool SlabPool::spent() const {
  return in_use_ == slabs_max_ || (partner_ != nullptr && in_use_ + partner_->in_use_ >= together_max_);
}

SlabRef SlabPool::acquire(Resumer& waiter) {
  if (spent()) {
    if (std::find(waiters_.begin(), waiters_.end(), &waiter) == waiters_.end()) waiters_.push_back(&waiter);
    return SlabRef();
  }
  std::erase(waiters_, &waiter);
  return acquire_now();
}

SlabRef SlabPool::acquire_now() {
  if (spent()) return SlabRef();
  ++in_use_;
  Slab* slab = free_->take();
  slab->pool_ = this;
  return SlabRef(slab);
}

bool SlabPool::adopt(Slab& slab) {
  if (slab.pool_ == this) return true;
  if (in_use_ == slabs_max_) return false;
  ++in_use_;
  std::exchange(slab.pool_, this)->left();
  return true;
}

void SlabPool::forget(Resumer& waiter) {
  std::erase(waiters_, &waiter);
  // It may have been resumed and never come for its slab: that turn is the next one's.
  if (!spent()) resume_next();
}

bool SlabPool::waits(const Resumer& waiter) const {
  return std::find(waiters_.begin(), waiters_.end(), &waiter) != waiters_.end();
}

void SlabPool::release(Slab* slab) {
  free_->put(slab);
  left();
}

void SlabPool::left() {
  --in_use_;
  if (!spent()) resume_next();
  if (partner_ != nullptr && !partner_->spent()) partner_->resume_next();
}

void SlabPool::resume_next() {
  if (waiters_.empty()) return;
  Resumer* next = waiters_.front();
  waiters_.erase(waiters_.begin());
  next->resume();
}

}  // namespace forklift
