#include <memory>
#include <optional>
#include <utility>

#include "worker/upload/spool_sink.h"

namespace forklift {

std::unique_ptr<BodySink> make_whole_job_sink(const UploadServices& services, Resumer& resumer,
                                              UploadTarget target, std::optional<std::uint64_t> size) {
  return std::make_unique<SpoolSink>(services, resumer,
                                     std::make_unique<VectorUpload>(services, std::move(target)), size);
}

}  // namespace forklift
