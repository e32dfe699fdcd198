#include <memory>
#include <optional>
#include <utility>

#include "worker/upload/spool_sink.h"

namespace forklift {

namespace {

Stored in_memory(std::uint64_t size) { return {{}, size, false, Durability::kNone, true}; }

/// What does not fit in memory: a file without a name. `own_claim`: nobody has asked for its disk space yet,
/// so it does, as it is written.
class UnnamedUpload final : public PoolUpload {
 public:
  UnnamedUpload(const UploadServices& services, UploadTarget target, std::shared_ptr<SpaceClaim> own_claim,
                std::optional<std::uint64_t> size)
      : PoolUpload(services, std::move(target)), own_claim_(std::move(own_claim)), size_(size) {}

 private:
  Result<PartFile> begin(const FileStore& store) override { return store.begin_unnamed(); }

  Result<void> write(PartFile& part, std::span<const std::byte> bytes, std::uint64_t offset) override {
    if (own_claim_) {
      if (auto room = own_claim_->reach(offset + bytes.size(), size_); !room) return room;
    }
    return PoolUpload::write(part, bytes, offset);
  }

  Result<Stored> publish(PartFile&, std::uint64_t size) override { return in_memory(size); }

  std::shared_ptr<SpaceClaim> own_claim_;
  std::optional<std::uint64_t> size_;
};

std::unique_ptr<PoolUpload> make_unnamed(const UploadServices& services, UploadTarget target,
                                         std::optional<std::uint64_t> size) {
  std::shared_ptr<SpaceClaim> own_claim;
  if (services.space != nullptr && !target.claim) {
    own_claim = std::make_shared<SpaceClaim>(*services.space, 1);
    target.claim = own_claim;
  }
  return std::make_unique<UnnamedUpload>(services, std::move(target), std::move(own_claim), size);
}

/// Keeps the body until the answer is sent, and then no more.
class MemorySink final : public SpoolSink {
 public:
  MemorySink(const UploadServices& services, Resumer& resumer, UploadTarget target,
             std::optional<std::uint64_t> size)
      : SpoolSink(services, resumer, make_unnamed(services, std::move(target), size), size) {}

  Result<Flow> finish() override {
    if (spilled()) return SpoolSink::finish();
    step_done({}, in_memory(gathered_bytes()));
    return Flow::kDone;
  }
};

}  // namespace

std::unique_ptr<BodySink> make_memory_sink(const UploadServices& services, Resumer& resumer,
                                           UploadTarget target, std::optional<std::uint64_t> size) {
  return std::make_unique<MemorySink>(services, resumer, std::move(target), size);
}

}  // namespace forklift
