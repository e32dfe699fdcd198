#pragma once

#include <cstddef>
#include <cstdint>

#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// The pipe that splice(2) needs between a socket and a file. What goes in comes out in the same step, so it
/// is empty between steps and one serves every upload of a worker; what an error leaves in it goes with it.
/// Owned by the worker's main; outlives every sink. Loop thread only.
class SplicePipe {
 public:
  SplicePipe() = default;
  SplicePipe(const SplicePipe&) = delete;
  SplicePipe& operator=(const SplicePipe&) = delete;

  /// Moves at most `bytes_max` from the non-blocking socket into the empty pipe. The result is splice(2)'s: 0
  /// at the end of the stream, -1 with errno.
  std::int64_t fill(int socket, std::uint64_t bytes_max);

  /// Moves all that is in the pipe to `offset` of the file. kUnsupported: this file system takes none.
  Result<void> drain(int file, std::uint64_t offset);

 private:
  bool open();
  void drop();

  UniqueFd read_end_;
  UniqueFd write_end_;
  std::size_t bytes_max_ = 0;
  std::size_t held_bytes_ = 0;
};

}  // namespace forklift
