#include "worker/upload/memory_budget.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "common/errno_error.h"

namespace forklift {

namespace {

constexpr std::size_t kRoundedToMin = 16 * 1024;

/// Buffers above this are rare: they go back to the system.
constexpr std::size_t kWarmBufferBytesMax = 4u << 20;
constexpr std::size_t kWarmBytesMax = 16u << 20;

}  // namespace

BodyBuffer::~BodyBuffer() {
  if (budget_ != nullptr) budget_->release({data_, capacity_});
}

MemoryBudget::~MemoryBudget() {
  if (in_use_bytes_ != 0) std::abort();  // a buffer would outlive its budget
  drop_warm(0);
}

std::size_t MemoryBudget::rounded(std::size_t bytes) {
  // Four sizes a doubling, so that buffers fit the next body and waste little of the budget.
  const std::size_t step = std::max(std::bit_floor(bytes) / 4, kRoundedToMin);
  return std::max((bytes + step - 1) / step, std::size_t{1}) * step;
}

Result<BodyBuffer> MemoryBudget::acquire(std::size_t bytes, Resumer& waiter) {
  const std::size_t size = rounded(bytes);
  if (size > bytes_max_) return Error{ErrorCode::kNoMemory, "body buffer"};
  const bool first = waiters_.empty() || waiters_.front() == &waiter;
  if (!first || size > bytes_max_ - in_use_bytes_) {
    if (std::find(waiters_.begin(), waiters_.end(), &waiter) == waiters_.end()) waiters_.push_back(&waiter);
    return BodyBuffer();
  }
  const Result<char*> data = take(size);
  if (!data) return data.error();
  in_use_bytes_ += size;
  if (!waiters_.empty()) {
    waiters_.erase(waiters_.begin());
    resume_first();
  }
  return BodyBuffer(*this, *data, size);
}

Result<char*> MemoryBudget::take(std::size_t size) {
  const auto found = std::find_if(warm_.rbegin(), warm_.rend(),
                                  [size](const Mapping& mapping) { return mapping.size == size; });
  if (found != warm_.rend()) {
    char* data = found->data;
    warm_bytes_ -= size;
    warm_.erase(std::next(found).base());
    return data;
  }
  drop_warm(std::min(warm_bytes_, bytes_max_ - in_use_bytes_ - size));
  void* data =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return errno_error("mmap");
  return static_cast<char*>(data);
}

void MemoryBudget::release(Mapping mapping) {
  in_use_bytes_ -= mapping.size;
  if (mapping.size <= kWarmBufferBytesMax) {
    warm_.push_back(mapping);
    warm_bytes_ += mapping.size;
    drop_warm(kWarmBytesMax);
  } else {
    ::munmap(mapping.data, mapping.size);
  }
  resume_first();
}

void MemoryBudget::drop_warm(std::size_t bytes_kept) {
  // The oldest first: it is the coldest.
  auto kept = warm_.begin();
  for (; warm_bytes_ > bytes_kept; ++kept) {
    ::munmap(kept->data, kept->size);
    warm_bytes_ -= kept->size;
  }
  warm_.erase(warm_.begin(), kept);
}

void MemoryBudget::forget(Resumer& waiter) {
  std::erase(waiters_, &waiter);
  resume_first();
}

void MemoryBudget::resume_first() {
  if (!waiters_.empty()) waiters_.front()->resume();
}

}  // namespace forklift
