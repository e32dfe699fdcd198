#pragma once

#include <cstdint>
#include <optional>

#include "worker/download/body_source.h"

namespace forklift {

/// Sees to it that what a source sends next is in memory: reads it on the disk pool where it is not. A source
/// owns it; destroying it early lets the read in flight run on unobserved. Loop thread only.
class ReadAhead {
 public:
  ReadAhead(const DownloadServices& services, Resumer& resumer) : services_(services), resumer_(resumer) {}
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead();

  /// kMore: `file` can be sent from `begin` to before `end`. kWaitDisk: not yet (then again after resume());
  /// meanwhile `file` has no descriptor. What was just read is not doubted, so that a download gets on even
  /// where memory is too short to keep it.
  Result<Flow> step(OpenedFile& file, std::uint64_t begin, std::uint64_t end);

 private:
  class Job;
  void returned(Job& job);

  const DownloadServices& services_;
  Resumer& resumer_;
  OpenedFile* file_ = nullptr;  // whose descriptor the job has
  Job* in_flight_ = nullptr;
  std::optional<Result<void>> read_;
};

}  // namespace forklift
