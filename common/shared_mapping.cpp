#include "common/shared_mapping.h"

#include <sys/mman.h>

#include <utility>

#include "common/errno_error.h"

namespace forklift {

Result<SharedMapping> SharedMapping::of(int fd, std::size_t offset, std::size_t bytes, Access access) {
  const int protection = access == Access::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* const memory =
      ::mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, fd, static_cast<off_t>(offset));
  if (memory == MAP_FAILED) return errno_error("mmap of the scoreboard");
  (void)::madvise(memory, bytes, MADV_DONTDUMP);
  return SharedMapping(memory, bytes);
}

Result<SharedMapping> SharedMapping::anonymous(std::size_t bytes) {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return errno_error("mmap of the scoreboard");
  return SharedMapping(memory, bytes);
}

SharedMapping::SharedMapping(SharedMapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), bytes_(other.bytes_) {}

SharedMapping& SharedMapping::operator=(SharedMapping&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

SharedMapping::~SharedMapping() {
  if (address_ != nullptr) ::munmap(address_, bytes_);
}

}  // namespace forklift
