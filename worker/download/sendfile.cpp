#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/page_cache.h"
#include "worker/download/pool_open.h"
#include "worker/download/read_ahead.h"
#include "worker/loop/socket.h"
#include "worker/storage/file_ops.h"

namespace forklift {

namespace {

/// sendfile(2) on the loop thread: page cache to socket, no byte of it enters the worker. What is not in the
/// page cache is read into it on the disk pool first.
class SendfileSource final : public BodySource {
 public:
  enum class Opens { kHereIfCached, kOnPool };

  SendfileSource(const DownloadServices& services, Resumer& resumer, DownloadTarget target, Opens opens)
      : BodySource(services, resumer),
        target_(std::move(target)),
        on_pool_(opens == Opens::kOnPool),
        opening_(services, resumer),
        reading_(services, resumer) {}

  Result<Flow> open() override {
    if (!on_pool_) {
      if (auto opened = open_here(); !opened) return opened.error();
      if (file_) return Flow::kDone;
      on_pool_ = true;
    }
    return opening_.step(target_, file_);
  }

  const OpenedFile& file() const override { return *file_; }

  Result<Step> send(Socket& socket, std::uint64_t limit) override {
    const std::uint64_t left = left_of(file_->size);
    const std::uint64_t end = std::min(offset_ + left, read_ahead_end(offset_));
    const Result<Flow> there = reading_.step(*file_, offset_, end);
    if (!there) return there.error();
    if (*there == Flow::kWaitDisk) return Step{Flow::kWaitDisk, 0};
    auto offset = static_cast<off_t>(offset_);
    ssize_t sent = 0;
    do {
      sent = file_ops::send_file(*socket.plain_fd(), file_->fd.get(), offset,
                                 static_cast<std::size_t>(std::min(limit, end - offset_)));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EAGAIN) return Step{Flow::kWaitWritable, 0};
    if (sent < 0) return errno_error("sendfile");
    if (sent == 0) return Error{ErrorCode::kIo, "sendfile: the file became shorter"};
    const auto moved = static_cast<std::uint64_t>(sent);
    offset_ += moved;
    return Step{moved == left ? Flow::kDone : Flow::kMore, moved};
  }

 private:
  /// Leaves file_ empty where a disk would have to be waited for.
  Result<void> open_here() {
    auto cached = target_.sample ? open_sample(services_) : services_.store.open_cached(target_.name);
    if (!cached) return cached.error();
    file_ = *std::move(cached);
    return {};
  }

  static Result<std::optional<OpenedFile>> open_sample(const DownloadServices& services) {
    auto file = FileStore::open_path(services.sample);
    if (!file) return file.error();
    return std::optional(*std::move(file));
  }

  DownloadTarget target_;
  bool on_pool_;
  PoolOpen opening_;
  ReadAhead reading_;
  std::optional<OpenedFile> file_;
};

}  // namespace

std::unique_ptr<BodySource> make_sendfile_source(const DownloadServices& services, Resumer& resumer,
                                                 DownloadTarget target) {
  return std::make_unique<SendfileSource>(services, resumer, std::move(target),
                                          SendfileSource::Opens::kHereIfCached);
}

/// The same, but for a system that cannot tell what it would have to look for: opens on a pool thread.
std::unique_ptr<BodySource> make_sendfile_job_source(const DownloadServices& services, Resumer& resumer,
                                                     DownloadTarget target) {
  return std::make_unique<SendfileSource>(services, resumer, std::move(target),
                                          SendfileSource::Opens::kOnPool);
}

}  // namespace forklift
