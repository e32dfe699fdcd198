#include "worker/storage/listing.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
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

using OpenDirectory = std::unique_ptr<DIR, int (*)(DIR*)>;

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY;

/// A whole name is one check of every byte of it, which would cost a deep tree its depth squared: the parents
/// have passed already.
bool is_name(const std::string& parent, const std::string& name) {
  if (parent.empty()) return check_name(name).ok();
  return name.size() <= kNameBytesMax && check_name("d/" + name.substr(parent.size())).ok();
}

/// How far the walk has gone, and whether it may go on.
class Effort {
 public:
  explicit Effort(const ListBounds& bounds) : bounds_(bounds) {}

  bool cancelled() const {
    return bounds_.cancelled != nullptr && bounds_.cancelled->load(std::memory_order_relaxed);
  }

  /// What was read before was the way to where this page begins.
  void begin() {
    if (begun_) return;
    begun_ = true;
    since_ = std::chrono::steady_clock::now();
  }

  void count_directory() {
    if (begun_) ++directories_;
  }
  void count_entry() {
    if (begun_) ++entries_;
  }

  bool is_spent() const {
    if (!begun_ || directories_ == 0) return false;
    if (directories_ + entries_ >= bounds_.entries) return true;
    return directories_ >= bounds_.directories_min &&
           std::chrono::steady_clock::now() - since_ >= bounds_.time;
  }

 private:
  const ListBounds& bounds_;
  bool begun_ = false;
  std::chrono::steady_clock::time_point since_;
  std::size_t directories_ = 0;
  std::size_t entries_ = 0;
};

/// A directory of the way that the walk has gone down.
struct Level {
  Level* parent;     // nullptr: the one that the walk began in
  std::string path;  // "" or ends with '/'
  unsigned depth;
  OpenDirectory entries{nullptr, ::closedir};  // not open where too many below it are
};

class Walk {
 public:
  Walk(const Beneath& beneath, int root, std::string_view prefix, std::size_t limit, std::string_view after,
       const ListBounds& bounds)
      : beneath_(beneath), root_(root), prefix_(prefix), after_(after), found_(limit + 1), effort_(bounds) {}

  Result<void> run() {
    Level top{nullptr, "", 0};
    const std::size_t slash = prefix_.rfind('/');
    if (slash != std::string_view::npos) {
      const std::string_view directory = prefix_.substr(0, slash);
      if (!check_name(directory)) return {};
      top.path = std::string(directory) + '/';
    }
    return visit(top);
  }

  std::vector<std::string> take_sorted() && { return std::move(found_).take_sorted(); }

  /// The first directory that was left to another page; empty: none was.
  const std::string& stopped_at() const { return stopped_at_; }

 private:
  static constexpr std::size_t kOpenMax = 8;

  /// The deeper, the fewer: so the sum over all depths is bounded too.
  static std::size_t batch_at(unsigned depth) { return std::max(64U, 4096U >> std::min(depth, 12U)); }

  Result<void> visit(Level& level) {
    auto visited = visit_open(level);
    close(level);
    if (!visited && is_left_out(visited.error())) return {};
    return visited;
  }

  Result<void> visit_open(Level& level) {
    std::string done;
    while (true) {
      Smallest next(batch_at(level.depth));
      if (auto read = read_directory(level, done, next); !read) return read;
      const bool may_be_more = next.is_full();
      auto directories = std::move(next).take_sorted();
      for (std::string& directory : directories) {
        if (!found_.wants(directory) || is_to_stop_at(directory)) return {};
        done = directory;
        Level below{&level, std::move(directory), level.depth + 1};
        if (auto visited = visit(below); !visited) return visited;
        if (!stopped_at_.empty()) return {};
      }
      if (!may_be_more) return {};
    }
  }

  /// All names before that directory's are known by then.
  bool is_to_stop_at(const std::string& directory) {
    if (directory <= after_) return false;
    effort_.begin();
    if (effort_.is_spent()) stopped_at_ = directory;
    return !stopped_at_.empty();
  }

  /// Takes the files in, and into `next` the directories after `done`; at the first reading, that is when
  /// `done` is empty, the files too.
  Result<void> read_directory(Level& level, const std::string& done, Smallest& next) {
    close(level);
    if (auto opened = open(level); !opened) return opened;
    effort_.count_directory();
    std::string name = level.path;
    while (const dirent* entry = file_ops::next_entry(level.entries.get())) {
      if (effort_.cancelled()) return Error{ErrorCode::kPeerGone, "list: cancelled"};
      if (is_dots(entry->d_name)) continue;
      effort_.count_entry();
      name.resize(level.path.size());
      name += entry->d_name;
      take(level, *entry, name, done, next);
    }
    if (errno != 0) return errno_error("list: read directory");
    return {};
  }

  /// From its parent, since the whole way down anew for each would cost a deep tree its depth squared. A
  /// parent that was closed for those below it is opened once for all that are left in it.
  Result<void> open(Level& level) {
    if (level.parent == nullptr) return keep(level, open_by_path(level));
    Level& parent = *level.parent;
    if (parent.entries == nullptr) {
      if (auto opened = keep(parent, open_by_path(parent)); !opened) return opened;
    }
    const std::string_view part = std::string_view(level.path).substr(parent.path.size());
    return keep(level, Beneath::open_in(::dirfd(parent.entries.get()), part.substr(0, part.size() - 1),
                                        kDirectoryFlags, "list: open directory"));
  }

  Result<UniqueFd> open_by_path(const Level& level) const {
    const std::string& path = level.path;
    if (path.empty()) return Beneath::open_in(root_, ".", kDirectoryFlags, "list: open directory");
    return beneath_.open(path.substr(0, path.size() - 1), kDirectoryFlags, "list: open directory");
  }

  /// Open until it is closed, or too many below it are open.
  Result<void> keep(Level& level, Result<UniqueFd> opened) {
    if (!opened) return opened.error();
    level.entries.reset(file_ops::open_directory(opened->get()));
    if (level.entries == nullptr) return errno_error("list: open directory");
    (void)opened->release();
    if (open_.size() == kOpenMax) {
      open_.front()->entries.reset();
      open_.pop_front();
    }
    open_.push_back(&level);
    return {};
  }

  void close(Level& level) {
    if (level.entries == nullptr) return;
    level.entries.reset();
    open_.pop_back();
  }

  void take(const Level& level, const dirent& entry, std::string& name, const std::string& done,
            Smallest& next) {
    switch (kind_of(::dirfd(level.entries.get()), entry)) {
      case EntryKind::kFile:
        if (done.empty() && name.starts_with(prefix_) && name > after_ && found_.wants(name) &&
            is_name(level.path, name)) {
          found_.put(name);
        }
        break;
      case EntryKind::kDirectory:
        if (!is_name(level.path, name)) break;
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
  Effort effort_;
  std::deque<Level*> open_;  // those that are, from the highest down
  std::string stopped_at_;
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
                           std::string_view after, const ListBounds& bounds) {
  Walk walk(beneath, root, prefix, limit, after, bounds);
  if (auto walked = walk.run(); !walked) return walked.error();
  Listing listing;
  listing.next_after = walk.stopped_at();
  auto names = std::move(walk).take_sorted();
  if (!listing.next_after.empty()) {
    names.erase(std::lower_bound(names.begin(), names.end(), listing.next_after), names.end());
  }
  if (const std::size_t fitting = fitting_names(names, limit); fitting < names.size()) {
    names.resize(fitting);
    listing.next_after = names.back();
  }
  listing.truncated = !listing.next_after.empty();
  listing.files.reserve(names.size());
  for (std::string& name : names) {
    if (auto added = add_file(beneath, std::move(name), listing); !added) return added.error();
  }
  return listing;
}

}  // namespace forklift
