#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "common/result.h"

namespace forklift {

/// Makes names nobody can guess and no other process makes: "20261123T174411Z-" (UTC) and 16 hexadecimal
/// digits from getrandom(2), which is asked for many names' worth at once. Owned by a FileStore; any thread.
class FreshNames {
 public:
  Result<std::string> next();

 private:
  Result<std::uint64_t> random();

  std::mutex mutex_;
  std::array<std::uint64_t, 32> random_{};
  std::size_t left_ = 0;  // of random_, taken from its end
};

}  // namespace forklift
