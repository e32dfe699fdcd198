#pragma once

#include <atomic>
#include <chrono>
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

/// How far one page goes. A page that has gone so far ends before the next directory, however few files it
/// has; a directory is read whole.
struct ListBounds {
  std::size_t entries = 100'000;        // of directories, the directories themselves counted too
  std::chrono::milliseconds time{250};  // counts once `directories_min` have been read
  std::size_t directories_min = 64;
  const std::atomic<bool>* cancelled = nullptr;  // set by any thread: nobody wants the page any more
};

/// The files whose names begin with `prefix` and come after `after`, at most `limit` (> 0), in the order of
/// their whole names' bytes, '/' being a byte like others ("a-b" < "a/b" < "a0"): directories are prefixes,
/// as in an object store. Left out: symbolic links, devices, the private directory, names that check_name
/// refuses, directories that may not be read. A prefix that no name can have lists nothing. What changes
/// meanwhile may be there or not; what stays is there once.
///
/// Reads every entry of the directories that may hold names of this page, and of no others, once: O(entries)
/// time, at any depth. Memory is that of `limit` + 1 names and a bounded number of directories' names; a
/// directory with more subdirectories than that, all of them empty, is read again for the next lot. Few
/// directories are open at a time. Where `bounds` end a page, `next_after` is the directory to go on with,
/// and the page may have no file at all; every page reads one directory at least that none before it has, and
/// what it reads up to there (the parents of `after`) does not count. kPeerGone: cancelled, which it looks
/// for at every entry. Blocks for long on big directories: for the disk pool.
Result<Listing> list_files(const Beneath& beneath, int root, std::string_view prefix, std::size_t limit,
                           std::string_view after, const ListBounds& bounds = {});

}  // namespace forklift
