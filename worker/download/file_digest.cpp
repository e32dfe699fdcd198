#include "worker/download/file_digest.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "common/errno_error.h"
#include "worker/loop/disk_pool.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"

namespace forklift {

namespace {

constexpr std::size_t kReadBytes = 128 * 1024;

/// What one turn digests, in some ten milliseconds.
constexpr std::uint64_t kTurnBytes = 16 * 1024 * 1024;

}  // namespace

/// Between two turns nobody waits for it but its owner.
class FileDigest::Job final : public DiskJob {
 public:
  Job(FileDigest& owner, DiskPool& disk, UniqueFd fd, const FileVersion& version, DigestAlgorithm algorithm)
      : owner_(&owner), disk_(disk), fd_(std::move(fd)), version_(version), hasher_(algorithm) {}

  void run() override {
    const std::uint64_t end = std::min(version_.size, offset_ + kTurnBytes);
    std::vector<std::byte> buffer(
        static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, end - offset_)));
    while (offset_ < end && !error_) read(buffer, end);
    if (offset_ == version_.size && !error_) check_unchanged();
  }

  void done(std::unique_ptr<DiskJob> self) override {
    if (owner_ == nullptr) return;
    if (error_) return owner_->returned(*error_);
    if (offset_ == version_.size) return owner_->returned(hasher_.digest());
    disk_.submit(std::move(self), DiskLane::kLong);
  }

  void cut_owner() { owner_ = nullptr; }

 private:
  void read(std::span<std::byte> buffer, std::uint64_t end) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - offset_));
    const auto here = buffer.first(wanted);
    const ssize_t bytes = retry_eintr([&] { return file_ops::read_at(fd_.get(), here, offset_); });
    if (bytes < 0) {
      error_ = errno_error("digest: read");
    } else if (bytes == 0) {
      error_ = Error{ErrorCode::kIo, "digest: the file became shorter"};
    } else {
      hasher_.add(here.first(static_cast<std::size_t>(bytes)));
      offset_ += static_cast<std::uint64_t>(bytes);
    }
  }

  /// What others wrote into it meanwhile may be half in the digest, and is not what the ETag is of.
  void check_unchanged() {
    struct stat now {};
    if (file_ops::stat_fd(fd_.get(), now) < 0) {
      error_ = errno_error("digest: stat");
    } else if (etag_of(version_of(now)) != etag_of(version_)) {
      error_ = Error{ErrorCode::kIo, "digest: the file changed"};
    }
  }

  FileDigest* owner_;
  DiskPool& disk_;
  UniqueFd fd_;
  FileVersion version_;
  Hasher hasher_;
  std::uint64_t offset_ = 0;
  std::optional<Error> error_;
};

FileDigest::FileDigest(const DownloadServices& services, Resumer& resumer, const OpenedFile& file,
                       DigestAlgorithm algorithm)
    : resumer_(resumer) {
  UniqueFd fd(::fcntl(file.fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd) {
    outcome_ = errno_error("digest: dup");
    return;
  }
  auto job = std::make_unique<Job>(*this, services.disk, std::move(fd), file.version(), algorithm);
  in_flight_ = job.get();
  services.disk.submit(std::move(job), DiskLane::kLong);  // the disk may be slow
}

FileDigest::~FileDigest() {
  if (in_flight_ != nullptr) in_flight_->cut_owner();
}

void FileDigest::returned(Result<Digest> digest) {
  in_flight_ = nullptr;
  outcome_.emplace(std::move(digest));
  resumer_.resume();
}

}  // namespace forklift
