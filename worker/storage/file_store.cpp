#include "worker/storage/file_store.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/fresh_names.h"
#include "worker/storage/name_locks.h"
#include "worker/storage/part_clock.h"
#include "worker/storage/part_session.h"
#include "worker/storage/publication.h"
#include "worker/storage/retry.h"
#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

constexpr int kFreshAttemptsMax = 8;

/// Each fails only where somebody has removed the directory in the microseconds since it was made: without
/// its tree's lock that may be a removal of ours, with it a stranger's.
constexpr int kParentAttemptsFree = 4;
constexpr int kParentAttemptsMax = 64;

/// A name, split into the directory ("" is the root) and what is in it.
struct Place {
  std::string_view directory;
  std::string leaf;
};

Place split(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return {{}, std::string(name)};
  return {name.substr(0, slash), std::string(name.substr(slash + 1))};
}

/// A directory's descriptor, owned unless it is the root's.
struct DirectoryFd {
  UniqueFd owned;
  int fd;
};

/// The private directory, and in it that of the parts.
struct PrivateDirectories {
  UniqueFd own;
  UniqueFd parts;
};

/// A parent that is missing or no directory: to who asks for a file there is none.
Error as_not_found(Error error) {
  if (error.code == ErrorCode::kConflict) error.code = ErrorCode::kNotFound;
  return error;
}

/// No directory, no file: that may be what the request was not to meet.
Error unless_unmet(Error error, const ExpectedState& expected) {
  if (error.os_error != ENOENT) return error;
  if (auto met = check_expected(expected, nullptr); !met) return met.error();
  return error;
}

Result<void> check_regular(const struct stat& status, const char* operation) {
  if (S_ISREG(status.st_mode)) return {};
  if (S_ISDIR(status.st_mode)) return Error{ErrorCode::kNotFound, operation, EISDIR};
  if (S_ISLNK(status.st_mode)) return Error{ErrorCode::kForbidden, operation, ELOOP};
  return Error{ErrorCode::kNotRegular, operation};
}

Result<void> make_all(const std::string& path) {
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string prefix = path.substr(0, end);
    if (file_ops::make_directory_at(AT_FDCWD, prefix.c_str(), 0750) < 0 && errno != EEXIST) {
      return errno_error("make root");
    }
  }
  return {};
}

Result<UniqueFd> open_root(const std::string& path) {
  if (auto made = make_all(path); !made) return made.error();
  UniqueFd root(file_ops::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error("open root");
  if (file_ops::access_at(root.get(), ".", W_OK | X_OK) < 0) return errno_error("root: not writable");
  return root;
}

Result<void> make_private(int directory, const char* name) {
  if (file_ops::make_directory_at(directory, name, 0700) == 0 || errno == EEXIST) return {};
  return errno_error("make private directory");
}

Result<PrivateDirectories> open_private(int root, const Beneath& beneath) {
  if (auto made = make_private(root, ".forklift"); !made) return made.error();
  auto own = beneath.open(".forklift", O_RDONLY | O_DIRECTORY, "open private directory");
  if (!own) return own.error();
  if (auto made = make_private(own->get(), "parts"); !made) return made.error();
  auto parts = beneath.open(".forklift/parts", O_RDONLY | O_DIRECTORY, "open private directory");
  if (!parts) return parts.error();
  return PrivateDirectories{*std::move(own), *std::move(parts)};
}

Result<void> check_file_system(int root, int parts) {
  struct stat of_root {};
  struct stat of_parts {};
  if (file_ops::stat_fd(root, of_root) < 0 || file_ops::stat_fd(parts, of_parts) < 0) {
    return errno_error("root: stat");
  }
  if (of_root.st_dev != of_parts.st_dev)
    return Error{ErrorCode::kUnsupported, "root: parts elsewhere", EXDEV};
  struct stat own {};
  struct stat other_case {};
  if (file_ops::stat_at(root, ".forklift", own) == 0 &&
      file_ops::stat_at(root, ".FORKLIFT", other_case) == 0 && own.st_ino == other_case.st_ino) {
    return Error{ErrorCode::kUnsupported, "root: names ignore case"};
  }
  return {};
}

}  // namespace

struct FileStore::State {
  UniqueFd root;
  UniqueFd parts;
  Beneath beneath;
  PartSession session;
  NameLocks locks;
  PartClock clock;
  FreshNames names = {};

  /// Where an upload goes, or comes from. kFull asks for a descriptor that can be synced.
  Result<DirectoryFd> open_directory(std::string_view name, Durability durability) const {
    if (name.empty()) return DirectoryFd{UniqueFd(), root.get()};
    const int access = durability == Durability::kFull ? O_RDONLY : O_PATH;
    auto fd = beneath.open(name, access | O_DIRECTORY, "open directory");
    if (!fd) return fd.error();
    const int number = fd->get();
    return DirectoryFd{std::move(*fd), number};
  }

  /// The same, making it where it is missing.
  Result<DirectoryFd> make_directory(std::string_view name, Durability durability) const {
    auto there = open_directory(name, durability);
    if (there.ok() || there.error().os_error != ENOENT) return there;
    auto made = beneath.make_directories(name, durability);
    if (!made) return made.error();
    const int number = made->get();
    return DirectoryFd{std::move(*made), number};
  }

  Result<Stored> publish(PartFile& part, const UploadTarget& target, std::uint64_t size,
                         Durability durability) {
    const bool in_root = target.mode == PublishMode::kFresh && target.name.empty();
    if (auto checked = check_name(target.name); !in_root && !checked) return checked.error();
    Publication publication(part, durability, locks);
    const auto version = publication.prepare(size, clock);
    if (!version) return version.error();
    auto stored = target.mode == PublishMode::kFresh ? publish_fresh(publication, target.name, durability)
                                                     : publish_named(publication, target, durability);
    if (!stored) return stored;
    stored->size = size;
    stored->version = *version;
    return stored;
  }

  Result<Stored> publish_named(Publication& publication, const UploadTarget& target, Durability durability) {
    const Place place = split(target.name);
    const auto put = [&](int directory) -> Result<Stored> {
      const auto replaced = publication.place(directory, place.leaf, target);
      if (!replaced) return replaced.error();
      return Stored{target.name, 0, *replaced, durability};
    };
    if (!target.expected.needs_file()) return put_into(place.directory, durability, put);
    const auto directory = open_directory(place.directory, durability);
    if (!directory) return unless_unmet(directory.error(), target.expected);
    return put(directory->fd);
  }

  /// Does `put` in that directory, made where it is missing, and made again where it went before the file was
  /// in it: a removal takes the directories along that it empties. A failure leaves none that are empty.
  template <typename Put>
  Result<Stored> put_into(std::string_view name, Durability durability, const Put& put) {
    auto stored = try_put_into(name, durability, put);
    if (!stored) remove_empty(name);
    return stored;
  }

  template <typename Put>
  Result<Stored> try_put_into(std::string_view name, Durability durability, const Put& put) {
    std::optional<NameLock> lock;
    for (int attempt = 1;; ++attempt) {
      const auto directory = make_directory(name, durability);
      auto stored = directory.ok() ? put(directory->fd) : Result<Stored>(directory.error());
      const bool went = !stored && stored.error().os_error == ENOENT && !name.empty();
      if (!went || attempt == kParentAttemptsMax) return stored;
      if (attempt != kParentAttemptsFree) continue;
      auto held = hold_tree(name);
      if (!held) return held.error();
      lock.emplace(*std::move(held));
    }
  }

  /// Keeps all of us from removing directories from the tree that one is in. No file's name begins so.
  Result<NameLock> hold_tree(std::string_view directory) const {
    return locks.hold('/' + std::string(directory.substr(0, directory.find('/'))));
  }

  /// That directory and those above it, up to the first that is not empty, or is somebody else's to remove;
  /// never the root.
  void remove_empty(std::string_view name) const {
    if (name.empty()) return;
    const auto lock = hold_tree(name);
    while (lock && !name.empty()) {
      const Place place = split(name);
      const auto parent = open_directory(place.directory, Durability::kNone);
      const bool removed = parent.ok() && file_ops::remove_directory_at(parent->fd, place.leaf.c_str()) == 0;
      const int os_error = parent.ok() ? errno : parent.error().os_error;
      if (!removed && os_error != ENOENT) return;
      name = place.directory;
    }
  }

  /// Removes a file that is as expected.
  Result<void> unlink(int directory, std::string_view name, const char* leaf,
                      const ExpectedState& expected) const {
    const auto lock = locks.hold(name);
    if (!lock) return lock.error();
    struct stat status {};
    if (file_ops::stat_at(directory, leaf, status) < 0) return errno_error("remove: stat");
    if (auto regular = check_regular(status, "remove: not a file"); !regular) return regular;
    if (auto met = check_expected(expected, &status); !met) return met;
    if (file_ops::unlink_at(directory, leaf) < 0) return errno_error("remove");
    return {};
  }

  Result<Stored> publish_fresh(Publication& publication, const std::string& in, Durability durability) {
    // Opened for every upload, not kept: a directory that was moved or removed must not go on receiving.
    return put_into(in, durability, [&](int directory) -> Result<Stored> {
      for (int attempt = 1;; ++attempt) {
        const auto leaf = names.next();
        if (!leaf) return leaf.error();
        UploadTarget target{in.empty() ? *leaf : in + '/' + *leaf, PublishMode::kCreateOnly};
        const auto placed = publication.place(directory, *leaf, target);
        if (placed) return Stored{std::move(target.name), 0, false, durability};
        if (placed.error().os_error != EEXIST || attempt == kFreshAttemptsMax) return placed.error();
      }
    });
  }
};

FileStore::FileStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileStore::FileStore(FileStore&&) noexcept = default;
FileStore::~FileStore() = default;

Result<FileStore> FileStore::open(const std::string& root, Resolver resolver) {
  auto root_fd = open_root(root);
  if (!root_fd) return root_fd.error();
  const Beneath beneath(root_fd->get(), resolver);
  auto directories = open_private(root_fd->get(), beneath);
  if (!directories) return directories.error();
  const int parts = directories->parts.get();
  if (auto checked = check_file_system(root_fd->get(), parts); !checked) return checked.error();
  auto session = PartSession::create(parts);
  if (!session) return session.error();
  const PartClock clock = PartClock::of(session->begin_unnamed());
  FileStore store(
      std::unique_ptr<State>(new State{std::move(*root_fd), std::move(directories->parts), beneath,
                                       std::move(*session), NameLocks(std::move(directories->own)), clock}));
  // Better told at the start than at the first replacement.
  if (const auto lock = store.state_->locks.hold(""); !lock) return lock.error();
  return store;
}

Result<PartFile> FileStore::begin() const { return state_->session.begin(); }

Result<PartFile> FileStore::begin_unnamed() const { return state_->session.begin_unnamed(); }

Result<Stored> FileStore::publish(PartFile& part, const UploadTarget& target, std::uint64_t size,
                                  Durability durability) const {
  auto stored = state_->publish(part, target, size, std::max(durability, target.durability_min));
  if (stored) return stored;
  part.discard();
  // A directory vanished under us; "no such file" would be no answer to an upload.
  if (stored.error().code == ErrorCode::kNotFound) {
    return Error{ErrorCode::kIo, stored.error().operation, stored.error().os_error};
  }
  return stored;
}

namespace {

/// O_NONBLOCK: opening a FIFO that nobody writes to must not hang the loop.
constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

Error as_not_opened(Error error) {
  if (error.os_error == ENXIO) return {ErrorCode::kNotRegular, "open: not a file", ENXIO};
  return as_not_found(error);
}

Result<OpenedFile> opened(UniqueFd fd) {
  struct stat status {};
  if (file_ops::stat_fd(fd.get(), status) < 0) return errno_error("open: stat");
  if (auto regular = check_regular(status, "open: not a file"); !regular) return regular.error();
  return OpenedFile{std::move(fd), static_cast<std::uint64_t>(status.st_size), status.st_mtim, status.st_dev,
                    status.st_ino};
}

}  // namespace

Result<OpenedFile> FileStore::open_file(std::string_view name) const {
  if (auto checked = check_name(name); !checked) return checked.error();
  auto fd = state_->beneath.open(name, kReadFlags, "open");
  if (!fd) return as_not_opened(fd.error());
  return opened(*std::move(fd));
}

Result<std::optional<OpenedFile>> FileStore::open_cached(std::string_view name) const {
  if (auto checked = check_name(name); !checked) return checked.error();
  auto fd = state_->beneath.open_cached(name, kReadFlags, "open");
  if (!fd) return as_not_opened(fd.error());
  if (!*fd) return std::optional<OpenedFile>();
  auto file = opened(**std::move(fd));
  if (!file) return file.error();
  return std::optional(*std::move(file));
}

Result<OpenedFile> FileStore::open_path(const std::string& path) {
  UniqueFd fd(file_ops::open_at(AT_FDCWD, path.c_str(), kReadFlags | O_CLOEXEC));
  if (!fd) return errno_error("open");
  return opened(std::move(fd));
}

Result<std::optional<FileVersion>> FileStore::look(std::string_view name) const {
  if (auto checked = check_name(name); !checked) return checked.error();
  const auto fd = state_->beneath.open(name, O_PATH, "look");
  if (!fd && fd.error().os_error == ENOENT) return std::optional<FileVersion>();
  if (!fd) return fd.error();
  struct stat status {};
  if (file_ops::stat_fd(fd->get(), status) < 0) return errno_error("look: stat");
  // The walking resolver opens a symbolic link itself.
  if (S_ISLNK(status.st_mode)) return Error{ErrorCode::kForbidden, "look: symbolic link", ELOOP};
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::kConflict, "look: not a file"};
  return std::optional(version_of(status));
}

Result<void> FileStore::remove(std::string_view name, Durability durability,
                               const ExpectedState& expected) const {
  if (auto checked = check_name(name); !checked) return checked.error();
  const Place place = split(name);
  const auto directory = state_->open_directory(place.directory, durability);
  if (!directory) return unless_unmet(as_not_found(directory.error()), expected);
  if (auto removed = state_->unlink(directory->fd, name, place.leaf.c_str(), expected); !removed) {
    return unless_unmet(removed.error(), expected);
  }
  if (durability == Durability::kFull && file_ops::sync_all(directory->fd) < 0) {
    return errno_error("remove: sync directory");
  }
  state_->remove_empty(place.directory);
  return {};
}

Result<Listing> FileStore::list(std::string_view prefix, std::size_t limit, std::string_view after,
                                const ListBounds& bounds) const {
  return list_files(state_->beneath, state_->root.get(), prefix, limit, after, bounds);
}

Result<std::uint64_t> FileStore::free_bytes() const {
  struct statvfs disk {};
  if (retry_eintr([&] { return file_ops::stat_disk(state_->parts.get(), disk); }) < 0) {
    return errno_error("statvfs");
  }
  if (disk.f_blocks == 0) return std::uint64_t{UINT64_MAX};
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

Result<std::size_t> FileStore::sweep_parts(std::chrono::milliseconds older_than) const {
  return sweep_sessions(state_->parts.get(), older_than);
}

}  // namespace forklift
