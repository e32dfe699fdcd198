#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/pool_open.h"
#include "worker/download/slab_source.h"
#include "worker/loop/disk_pool.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"

namespace forklift {

namespace {

class PoolRead final : public DiskJob, public SlabRead {
 public:
  PoolRead(OffLoopSource& source, Chunk into) : SlabRead(source, std::move(into)) {}

  void run() override {
    const ssize_t got =
        retry_eintr([&] { return file_ops::read_at(fd(), into().mutable_bytes(), offset()); });
    got_ = got < 0 ? Result<std::size_t>(errno_error("pread")) : static_cast<std::size_t>(got);
  }

  void done(std::unique_ptr<DiskJob>) override { through(got_); }

 private:
  Result<std::size_t> got_{std::size_t{0}};
};

/// open(2) and pread(2) on a pool thread, send(2) on the loop thread.
class PoolSource final : public OffLoopSource {
 public:
  PoolSource(const DownloadServices& services, Resumer& resumer, DownloadTarget target)
      : OffLoopSource(services, resumer, target), opening_(services, resumer), target_(std::move(target)) {}

  Result<Flow> open() override {
    std::optional<OpenedFile> file;
    auto flow = opening_.step(target_, file);
    if (file) file_ = std::make_shared<OpenedFile>(*std::move(file));
    return flow;
  }

 private:
  Result<void> start_read(Chunk into) override {
    services_.disk.submit(std::make_unique<PoolRead>(*this, std::move(into)));
    return {};
  }

  PoolOpen opening_;
  DownloadTarget target_;
};

}  // namespace

std::unique_ptr<BodySource> make_pool_source(const DownloadServices& services, Resumer& resumer,
                                             DownloadTarget target) {
  return std::make_unique<PoolSource>(services, resumer, std::move(target));
}

}  // namespace forklift
