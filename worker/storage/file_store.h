#pragma once

#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/config.h"
#include "common/result.h"
#include "common/unique_fd.h"
#include "worker/storage/beneath.h"
#include "worker/storage/expected_state.h"
#include "worker/storage/listing.h"
#include "worker/storage/part_file.h"
#include "worker/storage/version.h"

namespace forklift {

/// What may already stand where an upload goes.
enum class PublishMode : std::uint8_t {
  kFresh,       // the name is a directory, or empty: the root; the file gets a new, unguessable name in it
  kReplace,     // a file of that name is replaced in one step
  kCreateOnly,  // a file of that name is an error: kExists
};

/// Where an upload goes. `name` is as check_name wants it; what is expected there is of kReplace alone. It is
/// made at least as durable as `durability_min` says, whatever the others are.
struct UploadTarget {
  std::string name;
  PublishMode mode;
  ExpectedState expected = {};
  std::shared_ptr<SpaceClaim> claim = {};  // what it is promised of the disk; nothing: that is not counted
  Durability durability_min = Durability::kNone;
};

/// What became of an upload.
struct Stored {
  std::string file_path;  // relative to the root: the name open_file takes
  std::uint64_t size;
  bool replaced;             // another file of that name stood there
  Durability durability;     // how far it really went
  bool ephemeral = false;    // it lay in memory and is gone: there is no file, and file_path is empty
  FileVersion version = {};  // what its ETag is made of
  /// Said by the sink: the strategy that wrote in place of the one that was asked; empty: that one did.
  std::string_view written_by = {};
};

/// A regular file, open for reading, as it was when it was opened.
struct OpenedFile {
  UniqueFd fd;
  std::uint64_t size;
  timespec modified;
  dev_t device;
  ino_t inode;

  FileVersion version() const { return {inode, size, modified}; }
};

inline std::string etag_of(const OpenedFile& file) { return etag_of(file.version()); }

/// Files below one root directory: the POSIX storage engine. One a worker, made in its main, outlives every
/// PartFile and the disk pool. Every method blocks; every const method may run on any thread at any time, in
/// any number of processes over the same root.
///
/// Parts live in <root>/.forklift/parts/<session>/, one session a FileStore. The session's directory is
/// locked (flock) as long as the store lives, so a sweeper in any process knows the parts of the dead from
/// those of the living without a system call spent on each upload.
class FileStore {
 public:
  /// Creates the root (as mkdir -p, 0750 less umask) and its private directory (0700), checks that both are
  /// on one file system, that the root can be written and that its names are case-sensitive (else the private
  /// directory could be had by another spelling: kUnsupported).
  static Result<FileStore> open(const std::string& root, Resolver resolver = Resolver::kKernel);

  FileStore(FileStore&&) noexcept;
  FileStore& operator=(FileStore&&) = delete;
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;
  ~FileStore();

  /// A new, empty part, mode 0666 less umask.
  Result<PartFile> begin() const;

  /// A new, empty part that has no name (O_TMPFILE, or unlinked at once) and goes with its descriptor: room
  /// for bytes on their way. It cannot be published.
  Result<PartFile> begin_unnamed() const;

  /// Makes the part a file that everybody sees, whole, in one step: its size is checked against `size`, it is
  /// synced as `durability` or the target says, whichever is more, missing parent directories are made, it is
  /// renamed. On any failure the part is gone and the name is as it was before. kConflict: a directory or a
  /// special file stands there, or a file where a parent should be. kForbidden: a symbolic link on the way.
  /// kIo "publish: size": not `size` bytes. kPrecondition, kExists: not what was expected there; of racing
  /// uploads that expect the same file, one succeeds, over all processes. kBusy: see NameLocks.
  Result<Stored> publish(PartFile& part, const UploadTarget& target, std::uint64_t size,
                         Durability durability) const;

  /// kNotFound: nothing there, or a directory. kForbidden: a symbolic link on the way. kNotRegular:
  /// what stands there is neither file nor directory.
  Result<OpenedFile> open_file(std::string_view name) const;

  /// The same without waiting for a disk, as far as the system can tell: nothing where one would have to be
  /// asked for the file.
  Result<std::optional<OpenedFile>> open_cached(std::string_view name) const;

  /// Opens a file of the operator's choice, which need not lie below the root. Errors as open_file, but
  /// symbolic links are followed.
  static Result<OpenedFile> open_path(const std::string& path);

  /// Which content stands at the name now; none where there is no file. Errors as publish.
  Result<std::optional<FileVersion>> look(std::string_view name) const;

  /// Removes a regular file, and the directories above it that have nothing else in them. With kFull the
  /// removal itself is synced. Errors as open_file, and kPrecondition, kExists: not what was expected there.
  Result<void> remove(std::string_view name, Durability durability, const ExpectedState& expected = {}) const;

  /// One page of the files that there are; see list_files. For the disk pool.
  Result<Listing> list(std::string_view prefix, std::size_t limit, std::string_view after,
                       const ListBounds& bounds = {}) const;

  /// What may still be written by who is not root; UINT64_MAX where the file system does not say.
  Result<std::uint64_t> free_bytes() const;

  /// Removes parts whose store no longer lives and that nobody has written to for `older_than`; says how
  /// many. A living store's parts are never touched, at any age. Safe to run in several processes at once.
  Result<std::size_t> sweep_parts(std::chrono::milliseconds older_than) const;

 private:
  struct State;
  explicit FileStore(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace forklift
