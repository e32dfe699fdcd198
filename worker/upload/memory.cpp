#include <memory>
#include <optional>
#include <utility>

#include "worker/upload/spool_sink.h"

namespace forklift {

namespace {

Stored in_memory(std::uint64_t size) { return {{}, size, false, Durability::kNone, true}; }

/// What does not fit in memory: a file without a name.
class UnnamedUpload final : public PoolUpload {
 public:
  using PoolUpload::PoolUpload;

 private:
  Result<PartFile> begin(const FileStore& store) override { return store.begin_unnamed(); }
  Result<Stored> publish(PartFile&, std::uint64_t size) override { return in_memory(size); }
};

/// Keeps the body until the answer is sent, and then no more.
class MemorySink final : public SpoolSink {
 public:
  MemorySink(const UploadServices& services, Resumer& resumer, UploadTarget target,
             std::optional<std::uint64_t> size)
      : SpoolSink(services, resumer, std::make_unique<UnnamedUpload>(services, std::move(target)), size) {}

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
