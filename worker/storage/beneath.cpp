#include "worker/storage/beneath.h"

#include <fcntl.h>

#include <algorithm>
#include <string>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"

namespace forklift {
namespace {

constexpr int kStepFlags = O_PATH | O_DIRECTORY;

bool no_openat2(int os_error) { return os_error == ENOSYS || os_error == EPERM; }

Resolver resolver_for(int root, Resolver wanted) {
  if (wanted == Resolver::kWalk) return wanted;
  const UniqueFd fd(file_ops::open_beneath(root, ".", kStepFlags | O_CLOEXEC));
  return !fd && no_openat2(errno) ? Resolver::kWalk : wanted;
}

/// Takes the first part off a name.
std::string take_part(std::string_view& name) {
  const std::size_t end = std::min(name.find('/'), name.size());
  std::string part(name.substr(0, end));
  name.remove_prefix(std::min(end + 1, name.size()));
  return part;
}

/// openat of one component. The system says ENOTDIR of a symbolic link that had to be a directory, where
/// openat2 says ELOOP; here both say ELOOP.
UniqueFd open_part(int directory, const std::string& part, int flags) {
  const int fd =
      retry_eintr([&] { return file_ops::open_at(directory, part.c_str(), flags | O_NOFOLLOW | O_CLOEXEC); });
  if (fd >= 0 || errno != ENOTDIR) return UniqueFd(fd);
  struct stat status {};
  const bool is_link = file_ops::stat_at(directory, part.c_str(), status) == 0 && S_ISLNK(status.st_mode);
  errno = is_link ? ELOOP : ENOTDIR;
  return UniqueFd();
}

/// Makes one directory if it is missing, and opens it.
Result<UniqueFd> make_part(int parent, const std::string& part, Durability durability) {
  UniqueFd fd = open_part(parent, part, O_RDONLY | O_DIRECTORY);
  if (fd) return fd;
  if (errno != ENOENT) return errno_error("open directory");
  const bool made = file_ops::make_directory_at(parent, part.c_str(), 0777) == 0;
  if (!made && errno != EEXIST) return errno_error("make directory");
  if (made && durability == Durability::kFull && file_ops::sync_all(parent) < 0) {
    return errno_error("sync directory");
  }
  fd = open_part(parent, part, O_RDONLY | O_DIRECTORY);
  if (!fd) return errno_error("open directory");
  return fd;
}

}  // namespace

Beneath::Beneath(int root, Resolver resolver) : root_(root), resolver_(resolver_for(root, resolver)) {}

Result<UniqueFd> Beneath::open(std::string_view name, int flags, const char* operation) const {
  if (resolver_ == Resolver::kWalk) return walk(name, flags, operation);
  const std::string path(name);
  // No O_NOFOLLOW: with it and O_PATH, openat2 opens a symbolic link itself (openat2(2),
  // RESOLVE_NO_SYMLINKS).
  const int fd = retry_eintr([&] { return file_ops::open_beneath(root_, path.c_str(), flags | O_CLOEXEC); });
  if (fd >= 0) return UniqueFd(fd);
  if (no_openat2(errno)) return walk(name, flags, operation);
  return errno_error(operation);
}

Result<UniqueFd> Beneath::open_in(int directory, std::string_view part, int flags, const char* operation) {
  UniqueFd fd = open_part(directory, std::string(part), flags);
  if (!fd) return errno_error(operation);
  return fd;
}

Result<std::optional<UniqueFd>> Beneath::open_cached(std::string_view name, int flags,
                                                     const char* operation) const {
  if (resolver_ == Resolver::kKernel) {
    const std::string path(name);
    const int fd = file_ops::open_cached(root_, path.c_str(), flags | O_CLOEXEC);
    if (fd >= 0) return std::optional(UniqueFd(fd));
    if (errno == EAGAIN) return std::optional<UniqueFd>();
    if (errno != EINVAL && !no_openat2(errno)) return errno_error(operation);
  }
  auto opened = open(name, flags, operation);
  if (!opened) return opened.error();
  return std::optional(*std::move(opened));
}

Result<UniqueFd> Beneath::walk(std::string_view name, int flags, const char* operation) const {
  UniqueFd parent;
  while (true) {
    const std::string part = take_part(name);
    UniqueFd fd = open_part(parent ? parent.get() : root_, part, name.empty() ? flags : kStepFlags);
    if (!fd) return errno_error(operation);
    if (name.empty()) return fd;
    parent = std::move(fd);
  }
}

Result<UniqueFd> Beneath::make_directories(std::string_view name, Durability durability) const {
  UniqueFd parent;
  while (true) {
    auto made = make_part(parent ? parent.get() : root_, take_part(name), durability);
    if (!made || name.empty()) return made;
    parent = std::move(*made);
  }
}

}  // namespace forklift
