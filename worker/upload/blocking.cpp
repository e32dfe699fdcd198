#include "worker/upload/blocking.h"

#include <memory>

namespace forklift {

Result<Flow> BlockingSink::write(Chunk chunk) {
  if (const auto begun = begin(); !begun) return begun.error();
  if (const auto written = part_->write(chunk.bytes()); !written) return written.error();
  size_ += chunk.size();
  return Flow::kMore;
}

Result<Flow> BlockingSink::finish() {
  if (const auto begun = begin(); !begun) return begun.error();
  auto stored = services_.store.publish(*part_, target_, size_, services_.durability);
  if (!stored) return stored.error();
  stored_ = *std::move(stored);
  return Flow::kDone;
}

Result<void> BlockingSink::begin() {
  if (part_) return {};
  auto part = services_.store.begin();
  if (!part) return part.error();
  part_.emplace(*std::move(part));
  part_->charge(target_.claim);
  return {};
}

std::unique_ptr<BodySink> make_blocking_sink(const UploadServices& services, Resumer& resumer,
                                             UploadTarget target, std::optional<std::uint64_t>) {
  return std::make_unique<BlockingSink>(services, resumer, std::move(target));
}

}  // namespace forklift
