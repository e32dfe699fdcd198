#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/body_source.h"
#include "worker/loop/socket.h"
#include "worker/storage/file_ops.h"

namespace forklift {

namespace {

/// pread(2) into a slab and send(2) from it, both on the loop thread.
class CopySource final : public BodySource {
 public:
  CopySource(const DownloadServices& services, Resumer& resumer, DownloadTarget target)
      : BodySource(services, resumer), target_(std::move(target)) {}

  Result<Flow> open() override {
    auto file = open_target(target_);
    if (!file) return file.error();
    file_.emplace(*std::move(file));
    return Flow::kDone;
  }

  const OpenedFile& file() const override { return *file_; }

  Result<Step> send(Socket& socket, std::uint64_t limit) override {
    if (unsent_.empty()) {
      const Result<Flow> read = read_slab(limit);
      if (!read) return read.error();
      if (*read != Flow::kMore) return Step{*read, 0};
    }
    const std::uint64_t left = file_->size - offset_;
    const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit, unsent_.size()));
    const Result<Io> io = socket.send(unsent_.bytes().first(bytes_max), bytes_max < left);
    if (!io) return io.error();
    if (io->state == Io::State::kWouldBlock) {
      // A client that reads slowly keeps no slab when slabs are short: its bytes are read again.
      if (!services_.slabs.plentiful()) unsent_ = Chunk();
      return Step{Flow::kWaitWritable, 0};
    }
    unsent_.drop_front(io->bytes);
    offset_ += io->bytes;
    return Step{io->bytes == left ? Flow::kDone : Flow::kMore, io->bytes};
  }

 private:
  /// kMore: `unsent_` holds the bytes at `offset_`.
  Result<Flow> read_slab(std::uint64_t limit) {
    SlabRef slab = services_.slabs.acquire(resumer_);
    if (!slab) return Flow::kWaitDisk;
    const auto wanted =
        static_cast<std::size_t>(std::min({limit, file_->size - offset_, std::uint64_t{kSlabBytes}}));
    ssize_t got = 0;
    do {
      got = file_ops::read_at(file_->fd.get(), {slab.data(), wanted}, offset_);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return errno_error("pread");
    if (got == 0) return Error{ErrorCode::kIo, "pread: the file became shorter"};
    unsent_ = Chunk(std::move(slab), 0, static_cast<std::size_t>(got));
    return Flow::kMore;
  }

  DownloadTarget target_;
  std::optional<OpenedFile> file_;
  std::uint64_t offset_ = 0;  // of the file: the first byte the socket has not taken
  Chunk unsent_;
};

}  // namespace

std::unique_ptr<BodySource> make_copy_source(const DownloadServices& services, Resumer& resumer,
                                             DownloadTarget target) {
  return std::make_unique<CopySource>(services, resumer, std::move(target));
}

}  // namespace forklift
