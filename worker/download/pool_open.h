#pragma once

#include <optional>

#include "worker/download/body_source.h"

namespace forklift {

/// Opens one file on the disk pool. A source owns it; destroying it early lets the opening run on unobserved.
/// Loop thread only.
class PoolOpen {
 public:
  PoolOpen(const DownloadServices& services, Resumer& resumer) : services_(services), resumer_(resumer) {}
  PoolOpen(const PoolOpen&) = delete;
  PoolOpen& operator=(const PoolOpen&) = delete;
  ~PoolOpen();

  /// kWaitDisk until it is done, then (after resume()) kDone with `file` set, or why not.
  Result<Flow> step(const DownloadTarget& target, std::optional<OpenedFile>& file);

 private:
  class Job;
  void returned(Result<OpenedFile> opened);

  const DownloadServices& services_;
  Resumer& resumer_;
  Job* in_flight_ = nullptr;
  std::optional<Result<OpenedFile>> opened_;
};

}  // namespace forklift
