#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"

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

/// What must stand at a name for a change to happen (RFC 9110, 13.1.1 and 13.1.2). Plain data, made by who
/// understands the request.
struct ExpectedState {
  enum class Kind : std::uint8_t {
    kAnything,
    kAbsent,  // If-None-Match: *
    kFile,    // If-Match: *
    kOneOf,   // If-Match: a file with one of `etags`
    kNoneOf,  // If-None-Match: none, or a file with another
  };

  Kind kind = Kind::kAnything;
  std::vector<std::string> etags = {};  // with their quotes; a weak one equals none of ours

  bool needs_file() const { return kind == Kind::kFile || kind == Kind::kOneOf; }
};

/// kPrecondition (kExists for kAbsent) when `there`, a file or nullptr for none, is not what was expected.
Result<void> check_expected(const ExpectedState& expected, const struct stat* there);

}  // namespace forklift
