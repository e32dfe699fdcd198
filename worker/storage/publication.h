#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/config.h"
#include "common/result.h"
#include "worker/storage/file_store.h"
#include "worker/storage/name_locks.h"
#include "worker/storage/part_clock.h"

namespace forklift {

/// The last steps of the commit protocol for one part: size, fdatasync, the look at what stands there,
/// rename, fsync of the directory. Lives for one FileStore::publish, on its stack; what it leaves of a part
/// that failed is for the caller to discard.
///
/// Look and rename are one step to everybody else: over a file they happen under the name's lock (NameLocks),
/// where there is none the rename itself refuses a file. A new generation can be seen before its directory
/// is synced; its lock is not held for the sync.
class Publication {
 public:
  Publication(PartFile& part, Durability durability, const NameLocks& locks)
      : part_(part), durability_(durability), locks_(locks) {}

  /// Nothing is visible yet: the part holds `size` bytes, and they are where `durability` wants them.
  Result<FileVersion> prepare(std::uint64_t size, const PartClock& clock);

  /// Gives the part the name `leaf` in `directory` in one step, and syncs the directory for kFull. True when
  /// it replaced a file. `target` is the whole of the name, and its mode kReplace or kCreateOnly.
  Result<bool> place(int directory, const std::string& leaf, const UploadTarget& target);

 private:
  /// How the part got its name: what is left to do, and how to undo it, follow from it.
  enum class Placed : std::uint8_t {
    kRenamed,      // new, and the part's own name is gone
    kLinked,       // new, and the part has its own name still
    kExchanged,    // the part's name now holds the file that was replaced
    kOverwritten,  // the replaced file is gone
  };

  Result<Placed> put();
  Result<Placed> put_new();
  Result<Placed> put_over();
  Result<std::optional<struct stat>> look();
  Result<Placed> replace();
  Result<Placed> exchange();
  Result<void> sync_directory(Placed placed);
  void withdraw(Placed placed);
  bool is_ours();
  void settle(Placed placed);

  PartFile& part_;
  Durability durability_;
  const NameLocks& locks_;
  int directory_ = -1;
  const char* leaf_ = nullptr;
  const UploadTarget* target_ = nullptr;
};

}  // namespace forklift
