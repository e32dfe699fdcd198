#include "worker/storage/part_session.h"

#include <fcntl.h>
#include <time.h>

#include <cstring>
#include <memory>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/fresh_names.h"
#include "worker/storage/retry.h"

namespace forklift {
namespace {

constexpr int kAttemptsMax = 16;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Locks a session that was just made. A sweeper may have locked it first, and even removed it: then no.
bool claim(int parts, const std::string& name, int directory) {
  if (file_ops::lock_exclusive(directory) < 0) return false;
  struct stat held {};
  struct stat named {};
  return file_ops::stat_fd(directory, held) == 0 && file_ops::stat_at(parts, name.c_str(), named) == 0 &&
         same_file(held, named);
}

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
  return text;
}

/// The open directory's entries. It gets an open file of its own: a directory's position is shared by
/// duplicates.
Directory entries_of(int directory) {
  UniqueFd fd(file_ops::open_at(directory, ".", kDirectoryFlags));
  if (!fd) return nullptr;
  Directory entries(file_ops::open_directory(fd.get()));
  if (entries) (void)fd.release();
  return entries;
}

/// The next entry but "." and "..".
const char* next_name(DIR* directory) {
  while (const dirent* entry = file_ops::next_entry(directory)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) return entry->d_name;
  }
  return nullptr;
}

class Sweep {
 public:
  Sweep(int parts, std::chrono::milliseconds older_than) : parts_(parts), older_than_(older_than) {
    ::clock_gettime(CLOCK_REALTIME, &now_);
  }

  Result<std::size_t> run() {
    const Directory entries = entries_of(parts_);
    if (!entries) return errno_error("sweep: open directory");
    while (const char* name = next_name(entries.get())) sweep_session(name);
    if (errno != 0) return errno_error("sweep: read directory");
    return removed_;
  }

 private:
  void sweep_session(const char* name) {
    const UniqueFd directory(file_ops::open_at(parts_, name, kDirectoryFlags));
    if (!directory) return;
    if (file_ops::lock_exclusive(directory.get()) < 0) return;  // its store lives
    if (const Directory entries = entries_of(directory.get())) {
      while (const char* part = next_name(entries.get())) sweep_part(directory.get(), part);
    }
    // Refused while parts are left in it.
    file_ops::remove_directory_at(parts_, name);
  }

  void sweep_part(int directory, const char* name) {
    struct stat status {};
    if (file_ops::stat_at(directory, name, status) < 0 || !is_old(status)) return;
    if (file_ops::unlink_at(directory, name) == 0) ++removed_;
  }

  bool is_old(const struct stat& status) const {
    using namespace std::chrono;
    const auto age =
        seconds(now_.tv_sec - status.st_mtim.tv_sec) + nanoseconds(now_.tv_nsec - status.st_mtim.tv_nsec);
    return older_than_ <= older_than_.zero() || age >= older_than_;
  }

  int parts_;
  std::chrono::milliseconds older_than_;
  timespec now_{};
  std::size_t removed_ = 0;
};

}  // namespace

Result<PartSession> PartSession::create(int parts) {
  FreshNames names;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    auto name = names.next();
    if (!name) return name.error();
    if (file_ops::make_directory_at(parts, name->c_str(), 0700) < 0) {
      if (errno == EEXIST) continue;
      return errno_error("make session");
    }
    UniqueFd directory(file_ops::open_at(parts, name->c_str(), kDirectoryFlags));
    if (directory && claim(parts, *name, directory.get())) {
      return PartSession(parts, std::move(*name), std::move(directory));
    }
    const int os_error = errno;
    file_ops::remove_directory_at(parts, name->c_str());
    if (os_error != ENOENT && os_error != EWOULDBLOCK) return errno_error("lock session", os_error);
  }
  return Error{ErrorCode::kIo, "make session"};
}

PartSession::~PartSession() {
  if (!name_.empty()) file_ops::remove_directory_at(parts_, name_.c_str());
}

Result<PartFile> PartSession::begin() const {
  std::string name = hex(next_part_.fetch_add(1, std::memory_order_relaxed));
  const int fd = retry_eintr([&] {
    return file_ops::open_at(directory_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  });
  if (fd >= 0) return PartFile(UniqueFd(fd), directory_.get(), std::move(name));
  // ENOENT would read as "no such file" to a client who asked for none.
  if (errno == ENOENT) return Error{ErrorCode::kIo, "create part", ENOENT};
  return errno_error("create part");
}

Result<PartFile> PartSession::begin_unnamed() const {
  const int fd = retry_eintr(
      [&] { return file_ops::open_at(directory_.get(), ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600); });
  if (fd >= 0) return PartFile(UniqueFd(fd), directory_.get(), {});
  // Each stands for a kernel or a file system without O_TMPFILE (open(2)).
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return errno_error("create unnamed part");
  auto part = begin();
  if (!part) return part;
  if (auto hidden = part->hide(); !hidden) return hidden.error();
  return part;
}

Result<std::size_t> sweep_sessions(int parts, std::chrono::milliseconds older_than) {
  return Sweep(parts, older_than).run();
}

}  // namespace forklift
