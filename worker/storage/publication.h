#pragma once

#include <string>

#include "common/config.h"
#include "common/result.h"
#include "worker/storage/file_store.h"

namespace forklift {

/// The last steps of the commit protocol for one part: size, fdatasync, rename, fsync of the directory. Lives
/// for one FileStore::publish, on its stack; what it leaves of a part that failed is for the caller to
/// discard.
class Publication {
 public:
  Publication(PartFile& part, Durability durability) : part_(part), durability_(durability) {}

  /// Nothing is visible yet: the part holds `size` bytes, and they are where `durability` wants them.
  Result<void> prepare(std::uint64_t size);

  /// Gives the part the name `leaf` in `directory` in one step, and syncs the directory for kFull. True when
  /// it replaced a file. `mode` is kReplace or kCreateOnly.
  Result<bool> place(int directory, const std::string& leaf, PublishMode mode);

 private:
  /// How the part got its name: what is left to do, and how to undo it, follow from it.
  enum class Placed : std::uint8_t {
    kRenamed,      // new, and the part's own name is gone
    kLinked,       // new, and the part has its own name still
    kExchanged,    // the part's name now holds the file that was replaced
    kOverwritten,  // the replaced file is gone
  };

  Result<Placed> put(PublishMode mode);
  Result<Placed> put_new();
  Result<Placed> replace();
  Result<Placed> exchange();
  Result<void> sync_directory(Placed placed);
  void withdraw(Placed placed);
  bool is_ours();
  void settle(Placed placed);

  PartFile& part_;
  Durability durability_;
  int directory_ = -1;
  const char* leaf_ = nullptr;
};

}  // namespace forklift
