#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "worker/storage/beneath.h"
#include "worker/storage/version.h"

namespace forklift {

/// One page of a listing.
struct Listing {
  struct File {
    std::string name;  // what open_file takes
    FileVersion version;
  };

  std::vector<File> files;
  bool truncated = false;  // more follow
  std::string next_after;  // what to ask the next page for, where more follow
};

/// A page ends before its names are more than this together: a thousand of the longest would be 4 MB, and ten
/// times that as HTML.
inline constexpr std::size_t kPageNameBytesMax = 256 * 1024;

/// The files whose names begin with `prefix` and come after `after`, at most `limit` (> 0), in the order of
/// their whole names' bytes, '/' being a byte like others ("a-b" < "a/b" < "a0"): directories are prefixes,
/// as in an object store. Left out: symbolic links, devices, the private directory, names that check_name
/// refuses, directories that may not be read. A prefix that no name can have lists nothing. What changes
/// meanwhile may be there or not; what stays is there once.
///
/// Reads every entry of the directories that may hold names of this page, and of no others, once: O(entries)
/// time. Memory is that of `limit` + 1 names and a bounded number of directories' names; a directory with
/// more subdirectories than that, all of them empty, is read again for the next lot. One directory is open at
/// a time. Blocks for long on big directories: for the disk pool.
Result<Listing> list_files(const Beneath& beneath, int root, std::string_view prefix, std::size_t limit,
                           std::string_view after);

}  // namespace forklift
