#include <cerrno>
#include <memory>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/slab_source.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"

namespace forklift {

namespace {

/// pread(2) into a slab and send(2) from it, both on the loop thread.
class CopySource final : public SlabSource {
 public:
  using SlabSource::SlabSource;

 private:
  Result<Flow> read(std::size_t bytes_max) override {
    SlabRef slab = services_.slabs.acquire(resumer_);
    if (!slab) return Flow::kWaitDisk;
    const ssize_t got = retry_eintr([&] {
      return file_ops::read_at(file_->fd.get(), {slab.data(), bytes_max}, offset_);
    });
    if (got < 0) return errno_error("pread");
    if (got == 0) return became_shorter();
    unsent_ = Chunk(std::move(slab), 0, static_cast<std::size_t>(got));
    return Flow::kMore;
  }
};

}  // namespace

std::unique_ptr<BodySource> make_copy_source(const DownloadServices& services, Resumer& resumer,
                                             DownloadTarget target) {
  return std::make_unique<CopySource>(services, resumer, std::move(target));
}

}  // namespace forklift
