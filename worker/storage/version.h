#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>

namespace forklift {

/// Which content of a name: what an ETag is made of. Every publication makes a new file, so a new inode; a
/// number is used again once the old file is gone, at the same size perhaps, so the time of the last write
/// has to differ: FileStore sees to that (PartClock). A file that others write to in place changes by its
/// time alone, which older kernels count in steps of up to 10 ms.
struct FileVersion {
  ino_t inode = 0;
  std::uint64_t size = 0;
  timespec modified{};
};

FileVersion version_of(const struct stat& status);

/// A strong validator (RFC 9110, 8.8.3), with its quotes: replacing a file, or writing to it, changes it. The
/// one definition of it.
std::string etag_of(const FileVersion& version);

}  // namespace forklift
