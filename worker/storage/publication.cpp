#include "worker/storage/publication.h"

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"

namespace forklift {
namespace {

constexpr int kAttemptsMax = 8;

bool is_missing(int os_error) { return os_error == EINVAL || os_error == ENOSYS || os_error == EOPNOTSUPP; }

/// Why a file cannot go where this stands, if it cannot.
Result<void> check_replaceable(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return {};
  if (S_ISLNK(status.st_mode)) return Error{ErrorCode::kForbidden, "publish: symbolic link", ELOOP};
  return Error{ErrorCode::kConflict, "publish: not a file", S_ISDIR(status.st_mode) ? EISDIR : 0};
}

}  // namespace

Result<FileVersion> Publication::prepare(std::uint64_t size, const PartClock& clock) {
  if (auto stamped = clock.stamp(part_); !stamped) return stamped.error();
  struct stat status {};
  if (file_ops::stat_fd(part_.fd(), status) < 0) return errno_error("publish: stat");
  if (static_cast<std::uint64_t>(status.st_size) != size) return Error{ErrorCode::kIo, "publish: size"};
  if (durability_ != Durability::kNone && file_ops::sync_data(part_.fd()) < 0) {
    return errno_error("publish: sync data");
  }
  return version_of(status);
}

Result<bool> Publication::place(int directory, const std::string& leaf, const UploadTarget& target) {
  directory_ = directory;
  leaf_ = leaf.c_str();
  target_ = &target;
  const auto placed = put();
  if (!placed) return placed.error();
  if (auto synced = sync_directory(*placed); !synced) return synced.error();
  settle(*placed);
  return *placed == Placed::kExchanged || *placed == Placed::kOverwritten;
}

Result<Publication::Placed> Publication::put() {
  if (target_->expected.needs_file()) return put_over();
  auto placed = put_new();
  if (placed.ok() || placed.error().os_error != EEXIST) return placed;
  const bool may_replace =
      target_->mode == PublishMode::kReplace && target_->expected.kind != ExpectedState::Kind::kAbsent;
  if (may_replace) return put_over();
  if (auto there = look(); !there) return there.error();
  return placed;
}

/// What stands there now; an error where no file could go in its place.
Result<std::optional<struct stat>> Publication::look() {
  struct stat status {};
  if (file_ops::stat_at(directory_, leaf_, status) < 0) {
    if (errno == ENOENT) return std::optional<struct stat>();
    return errno_error("publish: stat");
  }
  if (auto replaceable = check_replaceable(status); !replaceable) return replaceable.error();
  return std::optional(status);
}

Result<Publication::Placed> Publication::put_over() {
  const auto lock = locks_.hold(target_->name);
  if (!lock) return lock.error();
  for (int attempt = 1;; ++attempt) {
    const auto there = look();
    if (!there) return there.error();
    if (auto met = check_expected(target_->expected, *there ? &**there : nullptr); !met) return met.error();
    if (*there) return replace();
    // It was removed before the name was ours, and may be created again: that asks for no lock.
    auto placed = put_new();
    if (placed.ok() || placed.error().os_error != EEXIST || attempt == kAttemptsMax) return placed;
  }
}

Result<Publication::Placed> Publication::put_new() {
  const char* part = part_.name_.c_str();
  if (file_ops::rename_no_replace(part_.directory_, part, directory_, leaf_) == 0) return Placed::kRenamed;
  if (!is_missing(errno)) return errno_error("publish: rename");
  if (file_ops::link_at(part_.directory_, part, directory_, leaf_) == 0) return Placed::kLinked;
  return errno_error("publish: link");
}

/// With kFull the replaced file is kept until the directory is synced: only then is there a way back.
Result<Publication::Placed> Publication::replace() {
  if (durability_ == Durability::kFull) {
    auto exchanged = exchange();
    if (exchanged.ok()) return exchanged;
    const int os_error = exchanged.error().os_error;
    if (os_error != ENOENT && !is_missing(os_error)) return exchanged;
  }
  if (file_ops::rename_at(part_.directory_, part_.name_.c_str(), directory_, leaf_) == 0) {
    return Placed::kOverwritten;
  }
  return errno_error("publish: rename");
}

Result<Publication::Placed> Publication::exchange() {
  const char* part = part_.name_.c_str();
  if (file_ops::rename_exchange(part_.directory_, part, directory_, leaf_) < 0) {
    return errno_error("publish: rename");
  }
  // An exchange takes directories too, and one may have come since we looked.
  struct stat status {};
  Result<void> replaceable;
  if (file_ops::stat_at(part_.directory_, part, status) == 0) replaceable = check_replaceable(status);
  if (replaceable.ok()) return Placed::kExchanged;
  withdraw(Placed::kExchanged);
  return replaceable.error();
}

Result<void> Publication::sync_directory(Placed placed) {
  if (durability_ != Durability::kFull || file_ops::sync_all(directory_) == 0) return {};
  const Error error = errno_error("publish: sync directory");
  const auto lock = locks_.hold(target_->name);
  withdraw(placed);
  return error;
}

/// Takes back what nobody has been told of. Under the name's lock, so that nobody puts a file there between
/// the look and the deed.
void Publication::withdraw(Placed placed) {
  if (placed == Placed::kOverwritten || !is_ours()) {
    settle(placed);
  } else if (placed == Placed::kExchanged) {
    file_ops::rename_exchange(part_.directory_, part_.name_.c_str(), directory_, leaf_);
  } else {
    file_ops::unlink_at(directory_, leaf_);
  }
}

bool Publication::is_ours() {
  struct stat mine {};
  struct stat there {};
  return file_ops::stat_fd(part_.fd(), mine) == 0 && file_ops::stat_at(directory_, leaf_, there) == 0 &&
         mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

/// Ends the part; under its name is now nothing, a second link to the file, or the file that was replaced.
void Publication::settle(Placed placed) {
  if (placed == Placed::kRenamed || placed == Placed::kOverwritten) part_.name_.clear();
  part_.discard();
}

}  // namespace forklift
