#pragma once

#include <optional>

#include "worker/download/body_source.h"
#include "worker/storage/digest.h"

namespace forklift {

/// Digests one open file on the disk pool, for somebody on the loop thread who owns this and may destroy it
/// and close the file early: then it stops soon. It takes its turns among the other long jobs, some MiB
/// each, so that a file of any size, on a disk of any speed, keeps nobody's upload or listing waiting.
class FileDigest {
 public:
  FileDigest(const DownloadServices& services, Resumer& resumer, const OpenedFile& file,
             DigestAlgorithm algorithm);
  FileDigest(const FileDigest&) = delete;
  FileDigest& operator=(const FileDigest&) = delete;
  ~FileDigest();

  /// Nothing until it is there and resume() was called. An error: the file could not be read to the end that
  /// it had when it was opened, or somebody wrote into it since.
  const std::optional<Result<Digest>>& outcome() const { return outcome_; }

 private:
  class Job;
  void returned(Result<Digest> digest);

  Resumer& resumer_;
  Job* in_flight_ = nullptr;
  std::optional<Result<Digest>> outcome_;
};

}  // namespace forklift
