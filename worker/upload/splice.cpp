#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "common/errno_error.h"
#include "worker/loop/socket.h"
#include "worker/upload/blocking.h"
#include "worker/upload/splice_pipe.h"

namespace forklift {

namespace {

/// Socket to pipe to file by splice(2) on the loop thread: the bytes never enter the worker, except those
/// that were read with the request's head.
class SpliceSink final : public BlockingSink {
 public:
  using BlockingSink::BlockingSink;

  Result<Flow> write(Chunk chunk) override {
    if (const auto begun = begin(); !begun) return begun.error();
    if (const auto written = part_->write_at(chunk.bytes(), size_); !written) return written.error();
    size_ += chunk.size();
    return Flow::kMore;
  }

  Result<Step> receive(Socket& socket, std::uint64_t limit) override {
    if (!socket.plain_fd() || services_.splice_pipe == nullptr) return BodySink::receive(socket, limit);
    if (const auto begun = begin(); !begun) return begun.error();
    const std::int64_t moved = services_.splice_pipe->fill(*socket.plain_fd(), limit);
    if (moved < 0 && errno == EAGAIN) return Step{Flow::kWaitReadable, 0};
    if (moved < 0) return errno_error("splice");
    if (moved == 0) return Error{ErrorCode::kPeerGone, "splice"};
    if (const auto drained = services_.splice_pipe->drain(part_->fd(), size_); !drained)
      return drained.error();
    const auto bytes = static_cast<std::uint64_t>(moved);
    part_->took(bytes);
    size_ += bytes;
    spliced_ = true;
    return Step{Flow::kMore, bytes};
  }

  Result<Flow> finish() override {
    const Result<Flow> finished = BlockingSink::finish();
    if (!spliced_) stored_.written_by = "blocking";
    return finished;
  }

 private:
  bool spliced_ = false;
};

}  // namespace

Result<void> probe_splice(const FileStore& store) {
  auto part = store.begin();
  if (!part) return part.error();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
    return errno_error("socketpair");
  const UniqueFd socket(ends[0]);
  const UniqueFd peer(ends[1]);
  if (::send(peer.get(), "x", 1, MSG_NOSIGNAL) != 1) return errno_error("send");
  SplicePipe pipe;
  if (pipe.fill(socket.get(), 1) != 1) return errno_error("splice");
  return pipe.drain(part->fd(), 0);
}

std::unique_ptr<BodySink> make_splice_sink(const UploadServices& services, Resumer& resumer,
                                           UploadTarget target, std::optional<std::uint64_t>) {
  return std::make_unique<SpliceSink>(services, resumer, std::move(target));
}

}  // namespace forklift
