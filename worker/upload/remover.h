#pragma once

#include <optional>
#include <string>

#include "worker/upload/body_sink.h"

namespace forklift {

/// Removes one file on the disk pool. A connection owns it; destroying it early lets the removal run on
/// unobserved. Loop thread only.
class Remover {
 public:
  /// kPrecondition, kExists: the file is not what was expected.
  Remover(const UploadServices& services, Resumer& resumer, std::string name, ExpectedState expected = {});
  Remover(const Remover&) = delete;
  Remover& operator=(const Remover&) = delete;
  ~Remover();

  /// kWaitDisk until it is done, then (after resume()) kDone or why not.
  Result<Flow> step();

 private:
  class Job;
  void returned(const std::optional<Error>& error);

  const UploadServices& services_;
  Resumer& resumer_;
  std::string name_;
  ExpectedState expected_;
  Job* in_flight_ = nullptr;
  bool returned_ = false;
  std::optional<Error> error_;
};

}  // namespace forklift
