#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// A file that holds our process id and an flock(2) for as long as this lives. Owned by the master. A stale
/// file left by a crash is taken over; a held one is refused. Removed on destruction, if it is still ours.
class PidFile {
 public:
  /// The error is a sentence that names the file and, when it is held, the process that holds it.
  static Result<PidFile, std::string> create(const std::string& path);

  PidFile(PidFile&&) noexcept = default;
  PidFile& operator=(PidFile&&) noexcept = delete;
  ~PidFile();

 private:
  PidFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
};

}  // namespace forklift
