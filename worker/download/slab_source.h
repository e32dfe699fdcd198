#pragma once

#include <memory>
#include <utility>

#include "worker/download/body_source.h"

namespace forklift {

/// A source that sends from slabs with send(2) on the loop thread; how the file's bytes get into a slab is
/// the strategy's. Opens on the loop thread.
class SlabSource : public BodySource {
 public:
  SlabSource(const DownloadServices& services, Resumer& resumer, DownloadTarget target)
      : BodySource(services, resumer), target_(std::move(target)) {}

  Result<Flow> open() override;
  const OpenedFile& file() const override { return *file_; }
  Result<Step> send(Socket& socket, std::uint64_t limit) override;

 protected:
  /// kMore: unsent_ holds the bytes at offset_, at most `bytes_max` (> 0). kWaitDisk: not yet.
  virtual Result<Flow> read(std::size_t bytes_max) = 0;

  static Error became_shorter() { return {ErrorCode::kIo, "read: the file became shorter"}; }

  std::shared_ptr<OpenedFile> file_;  // shared with reads in flight
  std::uint64_t offset_ = 0;          // of the file: the first byte the socket has not taken
  Chunk unsent_;

 private:
  DownloadTarget target_;
};

}  // namespace forklift
