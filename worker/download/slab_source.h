#pragma once

#include <cstddef>
#include <cstdint>
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
  Chunk unsent_;

 private:
  DownloadTarget target_;
};

class SlabRead;

/// A SlabSource whose reads run off the loop thread, one at a time; by what means is the strategy's.
class OffLoopSource : public SlabSource {
 public:
  using SlabSource::SlabSource;
  ~OffLoopSource() override;

 protected:
  /// Sends a SlabRead of this source on its way.
  virtual Result<void> start_read(Chunk into) = 0;

 private:
  friend class SlabRead;
  Result<Flow> read(std::size_t bytes_max) final;
  void have_read(Result<std::size_t> bytes, const Chunk& into);

  SlabRead* in_flight_ = nullptr;
  Result<Chunk> arrived_ = Chunk();
};

/// One read in flight, part of a job or an operation, which owns it. It owns what it touches and may outlive
/// its source: then what it has read is for nobody. Made and ended on the loop thread.
class SlabRead {
 public:
  SlabRead(const SlabRead&) = delete;
  SlabRead& operator=(const SlabRead&) = delete;

 protected:
  /// The next bytes of the source's file.
  SlabRead(OffLoopSource& source, Chunk into);
  ~SlabRead() = default;

  int fd() const { return file_->fd.get(); }
  std::uint64_t offset() const { return offset_; }
  Chunk& into() { return into_; }

  /// The source is still there.
  bool wanted() const { return source_ != nullptr; }

  /// The end of it: how many bytes came. Resumes the source's owner.
  void through(Result<std::size_t> bytes);

 private:
  friend class OffLoopSource;
  OffLoopSource* source_;
  std::shared_ptr<OpenedFile> file_;
  Chunk into_;
  std::uint64_t offset_;
};

}  // namespace forklift
