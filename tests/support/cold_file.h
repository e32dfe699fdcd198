#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/unique_fd.h"
#include "support/store_fixture.h"

namespace forklift::testing {

/// Writes the file to its disk and drops it from memory. False: it is still there (tmpfs).
inline bool drop_from_memory(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(fd);
  REQUIRE(::fsync(fd.get()) == 0);
  REQUIRE(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  void* const first = ::mmap(nullptr, 1, PROT_READ, MAP_SHARED, fd.get(), 0);
  REQUIRE(first != MAP_FAILED);
  unsigned char there = 0;
  CHECK(::mincore(first, 1, &there) == 0);
  ::munmap(first, 1);
  return (there & 1) == 0;
}

}  // namespace forklift::testing
