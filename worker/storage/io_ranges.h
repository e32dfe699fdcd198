#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace forklift {

/// What is left of `ranges` (changed in place) when their first `bytes` have been written: for readv(2) and
/// writev(2), which may move less than they were asked for.
inline std::span<iovec> after(std::span<iovec> ranges, std::size_t bytes) {
  while (!ranges.empty() && bytes >= ranges[0].iov_len) {
    bytes -= ranges[0].iov_len;
    ranges = ranges.subspan(1);
  }
  if (bytes == 0) return ranges;
  ranges[0].iov_base = static_cast<std::byte*>(ranges[0].iov_base) + bytes;
  ranges[0].iov_len -= bytes;
  return ranges;
}

}  // namespace forklift
