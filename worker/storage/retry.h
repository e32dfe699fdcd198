#pragma once

#include <cerrno>

namespace forklift {

/// Makes a system call again for as long as a signal interrupts it. Not for fsync and fdatasync: a failure of
/// those may have dropped the error together with the pages.
template <typename Call>
auto retry_eintr(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace forklift
