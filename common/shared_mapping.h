#pragma once

#include <cstddef>

#include "common/result.h"

namespace forklift {

/// One mmap(2) of shared memory, zero where nobody has written; left out of core files. Unmapped on
/// destruction.
class SharedMapping {
 public:
  enum class Access : bool { kRead, kReadWrite };

  /// `bytes` of `fd` from `offset` on; `fd` may be closed afterwards. A mapping made kRead of a descriptor
  /// that is itself read-only can't be made writable later, mprotect(2).
  static Result<SharedMapping> of(int fd, std::size_t offset, std::size_t bytes, Access access);

  /// Memory of this process alone.
  static Result<SharedMapping> anonymous(std::size_t bytes);

  SharedMapping(SharedMapping&& other) noexcept;
  SharedMapping& operator=(SharedMapping&& other) noexcept;
  ~SharedMapping();

  void* address() const { return address_; }

 private:
  SharedMapping(void* address, std::size_t bytes) : address_(address), bytes_(bytes) {}

  void* address_;
  std::size_t bytes_;
};

}  // namespace forklift
