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

class PoolRead;

/// open(2) and pread(2) on a pool thread, one read at a time, send(2) on the loop thread.
class PoolSource final : public SlabSource {
 public:
  PoolSource(const DownloadServices& services, Resumer& resumer, DownloadTarget target)
      : SlabSource(services, resumer, target), opening_(services, resumer), target_(std::move(target)) {}
  ~PoolSource() override;

  Result<Flow> open() override {
    std::optional<OpenedFile> file;
    auto flow = opening_.step(target_, file);
    if (file) file_ = std::make_shared<OpenedFile>(*std::move(file));
    return flow;
  }

  /// The read is through.
  void have_read(Result<Chunk> chunk);

 private:
  Result<Flow> read(std::size_t bytes_max) override;

  PoolOpen opening_;
  DownloadTarget target_;
  PoolRead* in_flight_ = nullptr;
  Result<Chunk> arrived_ = Chunk();
};

class PoolRead final : public DiskJob {
 public:
  PoolRead(PoolSource& source, std::shared_ptr<OpenedFile> file, Chunk chunk, std::uint64_t offset)
      : source_(&source), file_(std::move(file)), chunk_(std::move(chunk)), offset_(offset) {}

  void run() override {
    const ssize_t got =
        retry_eintr([&] { return file_ops::read_at(file_->fd.get(), chunk_.mutable_bytes(), offset_); });
    got_ = got < 0 ? Result<std::size_t>(errno_error("pread")) : static_cast<std::size_t>(got);
  }

  void done(std::unique_ptr<DiskJob>) override {
    if (source_ == nullptr) return;
    source_->have_read(got_ ? Result<Chunk>(chunk_.slice(0, *got_)) : got_.error());
  }

  void cut_source() { source_ = nullptr; }

 private:
  PoolSource* source_;
  std::shared_ptr<OpenedFile> file_;
  Chunk chunk_;
  std::uint64_t offset_;
  Result<std::size_t> got_{std::size_t{0}};
};

PoolSource::~PoolSource() {
  if (in_flight_ != nullptr) in_flight_->cut_source();
}

Result<Flow> PoolSource::read(std::size_t bytes_max) {
  if (in_flight_ != nullptr) return Flow::kWaitDisk;
  if (!arrived_) return arrived_.error();
  if (!arrived_->empty()) {
    unsent_ = std::exchange(*arrived_, Chunk());
    return Flow::kMore;
  }
  SlabRef slab = services_.slabs.acquire(resumer_);
  if (!slab) return Flow::kWaitDisk;
  auto job = std::make_unique<PoolRead>(*this, file_, Chunk(std::move(slab), 0, bytes_max), offset_);
  in_flight_ = job.get();
  services_.disk.submit(std::move(job));
  return Flow::kWaitDisk;
}

void PoolSource::have_read(Result<Chunk> chunk) {
  in_flight_ = nullptr;
  arrived_ = std::move(chunk);
  if (arrived_ && arrived_->empty()) arrived_ = became_shorter();
  resumer_.resume();
}

}  // namespace

std::unique_ptr<BodySource> make_pool_source(const DownloadServices& services, Resumer& resumer,
                                             DownloadTarget target) {
  return std::make_unique<PoolSource>(services, resumer, std::move(target));
}

}  // namespace forklift
