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
  // Four sizes a doubling where buffers are kept, so that they fit the next body and waste little.
  const std::size_t step =
      bytes > kWarmBufferBytesMax ? kRoundedToMin : std::max(std::bit_floor(bytes) / 4, kRoundedToMin);
  return std::max((bytes + step - 1) / step, std::size_t{1}) * step;
}

Result<bool> MemoryBudget::grow(BodyBuffer& buffer, std::size_t bytes, Resumer& waiter) {
  const std::size_t size = rounded(bytes);
  if (size > buffer_bytes_max_) return Error{ErrorCode::kNoMemory, "body buffer"};
  if (buffer && size <= buffer.capacity_) return true;
  if (!admit(buffer, size - buffer.capacity_, waiter)) return false;
  if (const auto enlarged = enlarge(buffer, size); !enlarged) return enlarged.error();
  if (std::erase(waiters_, &waiter) > 0) resume_first();
  return true;
}

/// Whether it may have that much more now. Overdrawing, it needs no place in the line.
bool MemoryBudget::admit(const BodyBuffer& buffer, std::size_t more_bytes, Resumer& waiter) {
  if (buffer && buffer.id_ == overdrawer_id_) return true;
  const bool first = waiters_.empty() || waiters_.front() == &waiter;
  const bool fits = in_use_bytes_ <= bytes_max_ && more_bytes <= bytes_max_ - in_use_bytes_;
  if (first && (fits || overdrawer_id_ == 0)) return true;
  if (!waits(waiter)) waiters_.push_back(&waiter);
  return false;
}

Result<void> MemoryBudget::enlarge(BodyBuffer& buffer, std::size_t size) {
  if (!buffer) {
    const Result<char*> data = take(size);
    if (!data) return data.error();
    buffer.budget_ = this;
    buffer.id_ = ++last_id_;
    buffer.data_ = *data;
  } else {
    void* data = ::mremap(buffer.data_, buffer.capacity_, size, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) return errno_error("mremap");
    buffer.data_ = static_cast<char*>(data);
  }
  in_use_bytes_ += size - buffer.capacity_;
  buffer.capacity_ = size;
  if (in_use_bytes_ > bytes_max_) overdrawer_id_ = buffer.id_;
  drop_warm(bytes_max_ - std::min(in_use_bytes_, bytes_max_));
  return {};
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
  void* data =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return errno_error("mmap");
  return static_cast<char*>(data);
}

void MemoryBudget::release(Mapping mapping) {
  in_use_bytes_ -= mapping.size;
  if (in_use_bytes_ <= bytes_max_) overdrawer_id_ = 0;
  if (mapping.size <= kWarmBufferBytesMax) {
    warm_.push_back(mapping);
    warm_bytes_ += mapping.size;
    drop_warm(std::min(kWarmBytesMax, bytes_max_ - std::min(in_use_bytes_, bytes_max_)));
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
  if (std::erase(waiters_, &waiter) > 0) resume_first();
}

bool MemoryBudget::waits(const Resumer& waiter) const {
  return std::find(waiters_.begin(), waiters_.end(), &waiter) != waiters_.end();
}

void MemoryBudget::resume_first() {
  if (!waiters_.empty()) waiters_.front()->resume();
}

}  // namespace forklift
