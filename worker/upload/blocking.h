#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "worker/upload/body_sink.h"

namespace forklift {

/// write(2) on the loop thread, open and publish too: the fewest steps an upload can take, and the loop
/// stands still while the disk does.
class BlockingSink : public BodySink {
 public:
  BlockingSink(const UploadServices& services, Resumer& resumer, UploadTarget target)
      : BodySink(services, resumer), target_(std::move(target)) {}

  Result<Flow> write(Chunk chunk) override;
  Result<Flow> finish() override;
  const Stored& stored() const override { return stored_; }

 protected:
  /// The part is open. Its bytes end at size_, and so does its file offset.
  Result<void> begin();

  std::optional<PartFile> part_;
  std::uint64_t size_ = 0;
  Stored stored_{};

 private:
  UploadTarget target_;
};

}  // namespace forklift
