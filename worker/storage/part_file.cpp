#include "worker/storage/part_file.h"

#include <limits.h>

#include <algorithm>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/io_ranges.h"
#include "worker/storage/retry.h"
#include "worker/storage/space.h"

namespace forklift {
namespace {

/// A write that took nothing and said nothing would loop for ever.
Error write_error(ssize_t written) {
  return written < 0 ? errno_error("write") : Error{ErrorCode::kIo, "write: nothing written"};
}

}  // namespace

PartFile::PartFile(PartFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      directory_(other.directory_),
      name_(std::exchange(other.name_, {})),
      claim_(std::move(other.claim_)) {}

PartFile& PartFile::operator=(PartFile&& other) noexcept {
  if (this == &other) return *this;
  discard();
  fd_ = std::move(other.fd_);
  directory_ = other.directory_;
  name_ = std::exchange(other.name_, {});
  claim_ = std::move(other.claim_);
  return *this;
}

void PartFile::took(std::uint64_t bytes) {
  if (claim_) claim_->wrote(bytes);
}

Result<void> PartFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = retry_eintr([&] { return file_ops::write_some(fd(), bytes); });
    if (written <= 0) return write_error(written);
    took(static_cast<std::uint64_t>(written));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> PartFile::write(std::span<iovec> ranges) {
  while (!ranges.empty()) {
    const auto next = ranges.first(std::min<std::size_t>(ranges.size(), IOV_MAX));
    const ssize_t written = retry_eintr([&] { return file_ops::write_vector(fd(), next); });
    if (written <= 0) return write_error(written);
    took(static_cast<std::uint64_t>(written));
    ranges = after(ranges, static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> PartFile::write_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = retry_eintr([&] { return file_ops::write_at(fd(), bytes, offset); });
    if (written <= 0) return write_error(written);
    took(static_cast<std::uint64_t>(written));
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> PartFile::hide() {
  if (file_ops::unlink_at(directory_, name_.c_str()) < 0) return errno_error("hide part");
  name_.clear();
  return {};
}

void PartFile::discard() {
  if (!name_.empty()) file_ops::unlink_at(directory_, name_.c_str());
  name_.clear();
  fd_.reset();
}

}  // namespace forklift
