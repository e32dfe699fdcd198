#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "worker/upload/pool_upload.h"
#include "worker/upload/spool_buffer.h"

namespace forklift {

/// Gathers the whole body in the worker's spool memory and hands it to the disk pool in the end. Where that
/// memory is spent, or the body is known to be larger, it writes through the pool as the bytes come: slower,
/// never in more memory, and it waits for no other upload's memory.
class SpoolSink : public PoolSink {
 public:
  SpoolSink(const UploadServices& services, Resumer& resumer, std::unique_ptr<PoolUpload> upload,
            std::optional<std::uint64_t> size);

  Result<Flow> write(Chunk chunk) override;
  Result<Step> receive(Socket& socket, std::uint64_t limit) override;
  Result<Flow> finish() override;

 protected:
  /// Bytes go to the disk as they come.
  bool spilled() const { return spilled_; }

  std::uint64_t gathered_bytes() const { return gathered_.size(); }

 private:
  void spill();

  SpoolBuffer gathered_;
  bool spilled_;
};

/// SpoolBuffer and sockets: receives into `room`, at most `limit` bytes, and says so to the buffer.
Result<Step> receive_into(SpoolBuffer& buffer, std::span<std::byte> room, Socket& socket,
                          std::uint64_t limit);

/// A part that is written with as few calls as can be.
class VectorUpload final : public PoolUpload {
 public:
  using PoolUpload::PoolUpload;

 private:
  Result<void> write_all(PartFile& part, std::span<const Chunk> chunks) override;
};

}  // namespace forklift
