#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/loop/disk_pool.h"
#include "worker/upload/slab_sink.h"

namespace forklift {

class PoolUpload;

/// Whose upload is on the disk pool. Loop thread.
class PoolUploadOwner {
 public:
  /// The step is through.
  virtual void returned(std::unique_ptr<PoolUpload> upload) = 0;

 protected:
  ~PoolUploadOwner() = default;
};

/// One upload on the disk pool: its part, and the chunks of the step in flight. Its owner has it between
/// steps, the pool during one. Orphaned, it throws its part away on the pool. By default chunks are written
/// with write(2); a strategy that writes otherwise derives from it.
class PoolUpload : public DiskJob {
 public:
  PoolUpload(const UploadServices& services, UploadTarget target)
      : services_(services), target_(std::move(target)) {}

  /// What the next step does: opens the part where there is none, writes, publishes. Loop thread, between
  /// steps.
  void add(std::vector<Chunk> chunks, bool publish);

  static void submit(std::unique_ptr<PoolUpload> upload, PoolUploadOwner& owner);

  /// The owner is gone and no step is in flight.
  static void throw_away(std::unique_ptr<PoolUpload> upload);

  /// The owner is gone. What a step in flight has published by now stays.
  void abandon();

  const std::optional<Error>& error() const { return error_; }
  const std::optional<Stored>& stored() const { return stored_; }

  /// The open part's descriptor, between steps, for who writes by other means and then says how much.
  bool is_open() const { return part_.has_value(); }
  int fd() const { return part_->fd(); }
  std::uint64_t size() const { return size_; }
  void wrote(std::uint64_t bytes) { size_ += bytes; }
  PartFile& part() { return *part_; }

  /// See Stored::written_by. Before what is published, on the thread that has the upload.
  void written_by(std::string_view strategy) { written_by_ = strategy; }

  void run() override;
  void done(std::unique_ptr<DiskJob> self) override;

 protected:
  // On a pool thread.

  virtual Result<PartFile> begin(const FileStore& store) { return store.begin(); }

  /// The part was just made.
  virtual Result<void> prepare(PartFile&) { return {}; }

  /// Writes all of a step's chunks, one after the other unless overridden.
  virtual Result<void> write_all(PartFile& part, std::span<const Chunk> chunks);

  /// Writes `bytes` at `offset`, which is the end of what was written before, or keeps a rest for later.
  virtual Result<void> write(PartFile& part, std::span<const std::byte> bytes, std::uint64_t offset);

  /// Everything came: afterwards the part is `size` bytes long.
  virtual Result<void> complete(PartFile&, std::uint64_t /*size*/) { return {}; }

  /// The end of it. A part that is published is closed.
  virtual Result<Stored> publish(PartFile& part, std::uint64_t size);

 private:
  Result<void> write_chunks();

  const UploadServices& services_;
  UploadTarget target_;
  std::optional<PartFile> part_;
  std::vector<Chunk> chunks_;
  std::uint64_t size_ = 0;
  std::string_view written_by_;
  bool publishing_ = false;
  std::atomic<bool> abandoned_ = false;  // set on the loop thread, seen by a step at its next stage
  std::optional<Error> error_;
  std::optional<Stored> stored_;
  PoolUploadOwner* owner_ = nullptr;
};

/// Reads on the loop thread while a pool thread writes.
class PoolSink : public SlabSink, private PoolUploadOwner {
 public:
  PoolSink(const UploadServices& services, Resumer& resumer, std::unique_ptr<PoolUpload> upload,
           std::optional<std::uint64_t> size = std::nullopt, std::size_t alignment_bytes = 1)
      : SlabSink(services, resumer, alignment_bytes), upload_(std::move(upload)) {
    expect(size);
  }
  ~PoolSink() override;

 protected:
  void start_step(std::vector<Chunk> chunks, bool publish) override;
  void returned(std::unique_ptr<PoolUpload> upload) override;

  std::unique_ptr<PoolUpload> upload_;  // empty while a step is in flight

 private:
  PoolUpload* in_flight_ = nullptr;
};

}  // namespace forklift
