#pragma once

#include <string>

#include "common/config.h"
#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// The file that downloads without a name get: the one of --sample, or 256 KiB of noise in anonymous memory,
/// so that a fresh server has something to send. Made in main; outlives every source.
class Sample {
 public:
  static Result<Sample> of(const Config& config);

  const std::string& path() const { return path_; }

 private:
  UniqueFd noise_;
  std::string path_;
};

}  // namespace forklift
