#include <memory>
#include <optional>
#include <utility>

#include "worker/upload/pool_upload.h"

namespace forklift {

std::unique_ptr<BodySink> make_pool_sink(const UploadServices& services, Resumer& resumer,
                                         UploadTarget target, std::optional<std::uint64_t> size) {
  return std::make_unique<PoolSink>(services, resumer,
                                    std::make_unique<PoolUpload>(services, std::move(target)), size);
}

}  // namespace forklift
