#pragma once

#include <string>
#include <vector>

#include "common/config.h"
#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// All that is needed to start a worker of one generation: the binary, held open so that what is started is
/// what was there when the generation began, its arguments and its environment. Owned by the Supervisor until
/// no worker of that generation can be wanted any more.
class Launch {
 public:
  /// Descriptors of a worker stay below it, so that passing them never overwrites the binary's.
  static constexpr int kBinaryFdMin = 256;

  /// Finds the binary: Config::worker_binary, or beside this program, ../worker/worker,
  /// ../libexec/forklift/worker. `environment` as "NAME=VALUE"; settings of ours are left out, the arguments
  /// say it all. A script is refused. The error is a sentence.
  static Result<Launch, std::string> prepare(const Config& config,
                                             const std::vector<std::string>& environment);

  const std::string& found_at() const { return found_at_; }

  /// What execve(2) is given, valid in this process and its children.
  std::string executable() const;

  const std::vector<std::string>& arguments() const { return arguments_; }  // from argv[0] on
  const std::vector<std::string>& environment() const { return environment_; }

 private:
  Launch() = default;

  UniqueFd binary_;
  std::string found_at_;
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
};

}  // namespace forklift
