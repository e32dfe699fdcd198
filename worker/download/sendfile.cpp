#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/pool_open.h"
#include "worker/loop/socket.h"
#include "worker/storage/file_ops.h"

namespace forklift {

namespace {

/// sendfile(2) on the loop thread: page cache to socket, no byte enters the worker. Opens there too.
class SendfileSource : public BodySource {
 public:
  SendfileSource(const DownloadServices& services, Resumer& resumer, DownloadTarget target)
      : BodySource(services, resumer), target_(std::move(target)) {}

  Result<Flow> open() override {
    auto file = open_target(services_, target_);
    if (!file) return file.error();
    file_.emplace(*std::move(file));
    return Flow::kDone;
  }

  const OpenedFile& file() const override { return *file_; }

  Result<Step> send(Socket& socket, std::uint64_t limit) override {
    const std::uint64_t left = left_of(file_->size);
    auto offset = static_cast<off_t>(offset_);
    ssize_t sent = 0;
    do {
      sent = file_ops::send_file(*socket.plain_fd(), file_->fd.get(), offset,
                                 static_cast<std::size_t>(std::min(limit, left)));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EAGAIN) return Step{Flow::kWaitWritable, 0};
    if (sent < 0) return errno_error("sendfile");
    if (sent == 0) return Error{ErrorCode::kIo, "sendfile: the file became shorter"};
    const auto moved = static_cast<std::uint64_t>(sent);
    offset_ += moved;
    return Step{moved == left ? Flow::kDone : Flow::kMore, moved};
  }

 protected:
  DownloadTarget target_;
  std::optional<OpenedFile> file_;
};

/// The same, but for a disk that may have to look for the file: opens on a pool thread.
class SendfileJobSource final : public SendfileSource {
 public:
  SendfileJobSource(const DownloadServices& services, Resumer& resumer, DownloadTarget target)
      : SendfileSource(services, resumer, std::move(target)), opening_(services, resumer) {}

  Result<Flow> open() override { return opening_.step(target_, file_); }

 private:
  PoolOpen opening_;
};

}  // namespace

std::unique_ptr<BodySource> make_sendfile_source(const DownloadServices& services, Resumer& resumer,
                                                 DownloadTarget target) {
  return std::make_unique<SendfileSource>(services, resumer, std::move(target));
}

std::unique_ptr<BodySource> make_sendfile_job_source(const DownloadServices& services, Resumer& resumer,
                                                     DownloadTarget target) {
  return std::make_unique<SendfileJobSource>(services, resumer, std::move(target));
}

}  // namespace forklift
