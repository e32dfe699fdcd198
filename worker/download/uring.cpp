#include <cerrno>
#include <memory>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/slab_source.h"
#include "worker/loop/ring.h"
#include "worker/storage/file_ops.h"

namespace forklift {

namespace {

class RingRead final : public RingOperation, public SlabRead {
 public:
  RingRead(OffLoopSource& source, Ring& ring, Chunk into) : SlabRead(source, std::move(into)), ring_(ring) {}

  static void submit(std::unique_ptr<RingRead> read) {
    RingRead& it = *read;
    it.ring_.read(std::move(read), it.fd(), it.into(), file_ops::ring_bytes(it.into().size()), it.offset());
  }

  void completed(std::unique_ptr<RingOperation> self, int result) override {
    result = file_ops::ring_read(result);
    if (wanted() && (result == -EINTR || result == -EAGAIN)) {
      self.release();
      return submit(std::unique_ptr<RingRead>(this));
    }
    through(result < 0 ? Result<std::size_t>(errno_error("io_uring read", -result))
                       : static_cast<std::size_t>(result));
  }

 private:
  Ring& ring_;
};

/// Reads through the ring, sends with send(2) on the loop thread.
class UringSource final : public OffLoopSource {
 public:
  using OffLoopSource::OffLoopSource;

 private:
  Result<void> start_read(Chunk into) override {
    if (services_.ring == nullptr) return Error{ErrorCode::kUnsupported, "io_uring"};
    RingRead::submit(std::make_unique<RingRead>(*this, *services_.ring, std::move(into)));
    return {};
  }
};

}  // namespace

Result<void> probe_uring_source(const FileStore&) { return Ring::probe(); }

std::unique_ptr<BodySource> make_uring_source(const DownloadServices& services, Resumer& resumer,
                                              DownloadTarget target) {
  return std::make_unique<UringSource>(services, resumer, std::move(target));
}

}  // namespace forklift
