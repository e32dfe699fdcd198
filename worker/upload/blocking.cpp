#include <memory>
#include <optional>
#include <utility>

#include "worker/upload/body_sink.h"

namespace forklift {

namespace {

/// write(2) on the loop thread, open and publish too: the fewest steps an upload can take, and the loop
/// stands still while the disk does.
class BlockingSink final : public BodySink {
 public:
  BlockingSink(const UploadServices& services, Resumer& resumer, UploadTarget target)
      : BodySink(services, resumer), target_(std::move(target)) {}

  Result<Flow> write(Chunk chunk) override {
    if (const auto begun = begin(); !begun) return begun.error();
    if (const auto written = part_->write(chunk.bytes()); !written) return written.error();
    size_ += chunk.size();
    return Flow::kMore;
  }

  Result<Flow> finish() override {
    if (const auto begun = begin(); !begun) return begun.error();
    auto stored = services_.store.publish(*part_, target_, size_, services_.durability);
    if (!stored) return stored.error();
    stored_ = *std::move(stored);
    return Flow::kDone;
  }

  const Stored& stored() const override { return stored_; }

 private:
  Result<void> begin() {
    if (part_) return {};
    auto part = services_.store.begin();
    if (!part) return part.error();
    part_.emplace(*std::move(part));
    return {};
  }

  UploadTarget target_;
  std::optional<PartFile> part_;
  std::uint64_t size_ = 0;
  Stored stored_{};
};

}  // namespace

std::unique_ptr<BodySink> make_blocking_sink(const UploadServices& services, Resumer& resumer,
                                             UploadTarget target, std::optional<std::uint64_t>) {
  return std::make_unique<BlockingSink>(services, resumer, std::move(target));
}

}  // namespace forklift
