#include "worker/storage/listing.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

/// Gone, replaced by something else, or not ours to read.
bool is_left_out(const Error& error) {
  switch (error.os_error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EACCES:
    case EPERM:
    case ENAMETOOLONG:
      return true;
    default:
      return false;
  }
}

/// The smallest `max` of all names put in.
class Smallest {
 public:
  explicit Smallest(std::size_t max) : max_(max) {}

  bool wants(std::string_view name) const { return names_.size() < max_ || name < names_.front(); }

  void put(std::string name) {
    if (names_.size() == max_) {
      std::pop_heap(names_.begin(), names_.end());
      names_.pop_back();
    }
    names_.push_back(std::move(name));
    std::push_heap(names_.begin(), names_.end());
  }

  bool is_full() const { return names_.size() == max_; }

  std::vector<std::string> take_sorted() && {
    std::sort_heap(names_.begin(), names_.end());
    return std::move(names_);
  }

 private:
  std::size_t max_;
  std::vector<std::string> names_;  // a heap, the largest first
};

enum class EntryKind : std::uint8_t { kFile, kDirectory, kOther };

EntryKind kind_of(int directory, const dirent& entry) {
  unsigned char type = entry.d_type;
  if (type == DT_UNKNOWN) {
    struct stat status {};
    if (file_ops::stat_at(directory, entry.d_name, status) == 0)
      type = static_cast<unsigned char>(IFTODT(status.st_mode));
  }
  if (type == DT_REG) return EntryKind::kFile;
  return type == DT_DIR ? EntryKind::kDirectory : EntryKind::kOther;
}

bool is_dots(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

class Walk {
 public:
  Walk(const Beneath& beneath, int root, std::string_view prefix, std::size_t limit, std::string_view after)
      : beneath_(beneath), root_(root), prefix_(prefix), after_(after), found_(limit + 1) {}

  Result<void> run() {
    const std::size_t slash = prefix_.rfind('/');
    if (slash == std::string_view::npos) return visit("", 0);
    const std::string_view directory = prefix_.substr(0, slash);
    if (!check_name(directory)) return {};
    return visit(std::string(directory) + '/', 0);
  }

  std::vector<std::string> take_sorted() && { return std::move(found_).take_sorted(); }

 private:
  /// The deeper, the fewer: so the sum over all depths is bounded too.
  static std::size_t batch_at(unsigned depth) { return std::max(64U, 4096U >> std::min(depth, 12U)); }

  /// `path` is "" or ends with '/'.
  Result<void> visit(const std::string& path, unsigned depth) {
    std::string done;
    while (true) {
      Smallest next(batch_at(depth));
      if (auto read = read_directory(path, done, next); !read) return read;
      const bool may_be_more = next.is_full();
      const auto directories = std::move(next).take_sorted();
      for (const std::string& directory : directories) {
        if (!found_.wants(directory)) return {};
        if (auto visited = visit(directory, depth + 1); !visited) return visited;
      }
      if (!may_be_more) return {};
      done = directories.back();
    }
  }

  /// Takes the files in, and into `next` the directories after `done`; at the first reading, that is when
  /// `done` is empty, the files too.
  Result<void> read_directory(const std::string& path, const std::string& done, Smallest& next) {
    auto fd = open(path);
    if (!fd) return is_left_out(fd.error()) ? Result<void>() : fd.error();
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(file_ops::open_directory(fd->get()), ::closedir);
    if (!entries) return errno_error("list: open directory");
    const int directory = fd->release();
    std::string name = path;
    while (const dirent* entry = file_ops::next_entry(entries.get())) {
      if (is_dots(entry->d_name)) continue;
      name.resize(path.size());
      name += entry->d_name;
      take(directory, *entry, name, done, next);
    }
    if (errno != 0) return errno_error("list: read directory");
    return {};
  }

  Result<UniqueFd> open(const std::string& path) const {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY;
    if (!path.empty()) return beneath_.open(path.substr(0, path.size() - 1), kFlags, "list: open directory");
    UniqueFd fd(file_ops::open_at(root_, ".", kFlags | O_CLOEXEC));
    if (!fd) return errno_error("list: open directory");
    return fd;
  }

  void take(int directory, const dirent& entry, std::string& name, const std::string& done, Smallest& next) {
    switch (kind_of(directory, entry)) {
      case EntryKind::kFile:
        if (done.empty() && name.starts_with(prefix_) && name > after_ && found_.wants(name) &&
            check_name(name)) {
          found_.put(name);
        }
        break;
      case EntryKind::kDirectory:
        if (!check_name(name)) break;
        name += '/';
        if (name > done && may_hold_some(name) && found_.wants(name) && next.wants(name)) next.put(name);
        break;
      case EntryKind::kOther:
        break;
    }
  }

  bool may_hold_some(std::string_view directory) const {
    if (!directory.starts_with(prefix_) && !prefix_.starts_with(directory)) return false;
    return directory > after_ || after_.starts_with(directory);
  }

  const Beneath& beneath_;
  int root_;
  std::string_view prefix_;
  std::string_view after_;
  Smallest found_;
};

/// How many of them make a page: one at least, where there is one.
std::size_t fitting_names(const std::vector<std::string>& names, std::size_t limit) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < std::min(names.size(), limit)) {
    bytes += names[count].size();
    if (bytes > kPageNameBytesMax && count > 0) break;
    ++count;
  }
  return count;
}

/// Nothing: it has gone since, or is no file any more.
Result<void> add_file(const Beneath& beneath, std::string&& name, Listing& listing) {
  const auto fd = beneath.open(name, O_PATH, "list: open");
  if (!fd) return is_left_out(fd.error()) ? Result<void>() : fd.error();
  struct stat status {};
  if (file_ops::stat_fd(fd->get(), status) < 0) return errno_error("list: stat");
  if (S_ISREG(status.st_mode)) listing.files.push_back({std::move(name), version_of(status)});
  return {};
}

}  // namespace

Result<Listing> list_files(const Beneath& beneath, int root, std::string_view prefix, std::size_t limit,
                           std::string_view after) {
  Walk walk(beneath, root, prefix, limit, after);
  if (auto walked = walk.run(); !walked) return walked.error();
  auto names = std::move(walk).take_sorted();
  Listing listing;
  if (const std::size_t fitting = fitting_names(names, limit); fitting < names.size()) {
    names.resize(fitting);
    listing.truncated = true;
    listing.next_after = names.back();
  }
  listing.files.reserve(names.size());
  for (std::string& name : names) {
    if (auto added = add_file(beneath, std::move(name), listing); !added) return added.error();
  }
  return listing;
}

}  // namespace forklift
