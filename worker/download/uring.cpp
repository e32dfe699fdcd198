#include <cerrno>
#include <memory>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/slab_source.h"
#include "worker/loop/ring.h"
#include "worker/storage/file_ops.h"

namespace forklift {

namespace {

class RingRead;

/// Reads through the ring into a slab, one read at a time, and sends from it.
class UringSource final : public SlabSource {
 public:
  using SlabSource::SlabSource;
  ~UringSource() override;

  /// The read is through.
  void have_read(Result<Chunk> chunk);

 private:
  Result<Flow> read(std::size_t bytes_max) override;

  RingRead* in_flight_ = nullptr;
  Result<Chunk> arrived_ = Chunk();
};

class RingRead final : public RingOperation {
 public:
  RingRead(UringSource& source, Ring& ring, std::shared_ptr<OpenedFile> file, Chunk chunk,
           std::uint64_t offset)
      : source_(&source), ring_(ring), file_(std::move(file)), chunk_(std::move(chunk)), offset_(offset) {}

  static void submit(std::unique_ptr<RingRead> read) {
    RingRead& it = *read;
    it.ring_.read(std::move(read), it.file_->fd.get(), it.chunk_, file_ops::ring_bytes(it.chunk_.size()),
                  it.offset_);
  }

  void completed(std::unique_ptr<RingOperation> self, int result) override {
    result = file_ops::ring_read(result);
    if (source_ == nullptr) return;
    if (result == -EINTR || result == -EAGAIN) {
      self.release();
      return submit(std::unique_ptr<RingRead>(this));
    }
    if (result < 0) return source_->have_read(errno_error("io_uring read", -result));
    source_->have_read(chunk_.slice(0, static_cast<std::size_t>(result)));
  }

  void cut_source() { source_ = nullptr; }

 private:
  UringSource* source_;
  Ring& ring_;
  std::shared_ptr<OpenedFile> file_;
  Chunk chunk_;
  std::uint64_t offset_;
};

UringSource::~UringSource() {
  if (in_flight_ != nullptr) in_flight_->cut_source();
}

Result<Flow> UringSource::read(std::size_t bytes_max) {
  if (services_.ring == nullptr) return Error{ErrorCode::kUnsupported, "io_uring"};
  if (in_flight_ != nullptr) return Flow::kWaitDisk;
  if (!arrived_) return arrived_.error();
  if (!arrived_->empty()) {
    unsent_ = std::exchange(*arrived_, Chunk());
    return Flow::kMore;
  }
  SlabRef slab = services_.slabs.acquire(resumer_);
  if (!slab) return Flow::kWaitDisk;
  auto read = std::make_unique<RingRead>(*this, *services_.ring, file_, Chunk(std::move(slab), 0, bytes_max),
                                         offset_);
  in_flight_ = read.get();
  RingRead::submit(std::move(read));
  return Flow::kWaitDisk;
}

void UringSource::have_read(Result<Chunk> chunk) {
  in_flight_ = nullptr;
  arrived_ = std::move(chunk);
  if (arrived_ && arrived_->empty()) arrived_ = became_shorter();
  resumer_.resume();
}

}  // namespace

Result<void> probe_uring_source(const FileStore&) { return Ring::probe(); }

std::unique_ptr<BodySource> make_uring_source(const DownloadServices& services, Resumer& resumer,
                                              DownloadTarget target) {
  return std::make_unique<UringSource>(services, resumer, std::move(target));
}

}  // namespace forklift
