#include <cerrno>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/errno_error.h"
#include "worker/loop/ring.h"
#include "worker/storage/file_ops.h"
#include "worker/upload/pool_upload.h"

namespace forklift {

namespace {

class UringSink;

/// An open part among writes in flight, each of which has a share in it. The last to go throws it away on the
/// disk pool, unless the sink has taken it to publish it.
struct RingPart {
  std::unique_ptr<PoolUpload> upload;
  UringSink* sink;  // nullptr: the sink is gone

  RingPart(std::unique_ptr<PoolUpload> its_upload, UringSink& its_sink)
      : upload(std::move(its_upload)), sink(&its_sink) {}
  RingPart(const RingPart&) = delete;
  RingPart& operator=(const RingPart&) = delete;
  ~RingPart() {
    if (upload) PoolUpload::throw_away(std::move(upload));
  }
};

class RingWrite final : public RingOperation {
 public:
  RingWrite(Ring& ring, std::shared_ptr<RingPart> part, Chunk chunk, std::uint64_t offset)
      : ring_(ring), part_(std::move(part)), chunk_(std::move(chunk)), offset_(offset) {}

  static void submit(std::unique_ptr<RingWrite> write) {
    RingWrite& it = *write;
    it.ring_.write(std::move(write), it.part_->upload->fd(), it.chunk_,
                   file_ops::ring_bytes(it.chunk_.size()), it.offset_);
  }

  void completed(std::unique_ptr<RingOperation> self, int result) override;

 private:
  Ring& ring_;
  std::shared_ptr<RingPart> part_;
  Chunk chunk_;  // what is not written yet
  std::uint64_t offset_;
};

/// Writes through the ring; opens the part and publishes it on the disk pool, as the ring has no rename that
/// undoes itself and its openat goes to a kernel thread anyway.
class UringSink final : public SlabSink, private PoolUploadOwner {
 public:
  UringSink(const UploadServices& services, Resumer& resumer, UploadTarget target,
            std::optional<std::uint64_t> size)
      : SlabSink(services, resumer), upload_(std::make_unique<PoolUpload>(services, std::move(target))) {
    expect(size);
    if (services.ring == nullptr) fail(Error{ErrorCode::kUnsupported, "io_uring"});
  }

  ~UringSink() override {
    if (on_pool_ != nullptr) on_pool_->abandon();
    if (in_ring_) in_ring_->sink = nullptr;
    if (upload_) PoolUpload::throw_away(std::move(upload_));
  }

  /// A write is through.
  void wrote(const std::optional<Error>& error) {
    if (error) write_error_ = error;
    if (--writes_left_ > 0) return;
    upload_ = std::move(in_ring_->upload);
    in_ring_.reset();
    if (write_error_ || !publishing_) return step_done(write_error_, std::nullopt);
    to_pool();
  }

 private:
  void start_step(std::vector<Chunk> chunks, bool publish) override {
    chunks_ = std::move(chunks);
    publishing_ = publish;
    if (upload_->is_open() && !chunks_.empty()) {
      to_ring();
    } else {
      to_pool();
    }
  }

  void to_ring() {
    in_ring_ = std::make_shared<RingPart>(std::move(upload_), *this);
    writes_left_ = chunks_.size();
    for (Chunk& chunk : std::exchange(chunks_, {})) {
      PoolUpload& upload = *in_ring_->upload;
      const std::uint64_t offset = upload.size();
      upload.wrote(chunk.size());
      RingWrite::submit(std::make_unique<RingWrite>(*services_.ring, in_ring_, std::move(chunk), offset));
    }
  }

  /// Opens the part where there is none; publishes when nothing is left to write.
  void to_pool() {
    upload_->add({}, publishing_ && chunks_.empty());
    on_pool_ = upload_.get();
    PoolUpload::submit(std::move(upload_), *this);
  }

  void returned(std::unique_ptr<PoolUpload> upload) override {
    on_pool_ = nullptr;
    upload_ = std::move(upload);
    if (upload_->error() || chunks_.empty()) return step_done(upload_->error(), upload_->stored());
    to_ring();
  }

  std::unique_ptr<PoolUpload> upload_;  // while it is neither on the pool nor in the ring
  PoolUpload* on_pool_ = nullptr;
  std::shared_ptr<RingPart> in_ring_;
  std::size_t writes_left_ = 0;
  std::vector<Chunk> chunks_;
  bool publishing_ = false;
  std::optional<Error> write_error_;
};

void RingWrite::completed(std::unique_ptr<RingOperation> self, int result) {
  result = file_ops::ring_wrote(result);
  const bool again = result == -EINTR || result == -EAGAIN;
  if (result > 0) {
    part_->upload->part().took(static_cast<std::uint64_t>(result));
    offset_ += static_cast<std::uint64_t>(result);
    chunk_.drop_front(static_cast<std::size_t>(result));
  }
  if (part_->sink != nullptr && (again || (result > 0 && !chunk_.empty()))) {
    self.release();
    return submit(std::unique_ptr<RingWrite>(this));
  }
  std::optional<Error> error;
  if (result < 0) error = errno_error("io_uring write", -result);
  if (result == 0) error = Error{ErrorCode::kIo, "io_uring write: nothing written"};
  chunk_ = Chunk();  // before the sink asks for the next slab
  if (part_->sink != nullptr) part_->sink->wrote(error);
}

}  // namespace

Result<void> probe_uring_sink(const FileStore&) { return Ring::probe(); }

std::unique_ptr<BodySink> make_uring_sink(const UploadServices& services, Resumer& resumer,
                                          UploadTarget target, std::optional<std::uint64_t> size) {
  return std::make_unique<UringSink>(services, resumer, std::move(target), size);
}

}  // namespace forklift
