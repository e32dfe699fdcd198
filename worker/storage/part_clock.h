#pragma once

#include "common/result.h"
#include "worker/storage/part_file.h"

namespace forklift {

/// Sees to it that of two files published one after the other under one name the later has a later time of
/// its last write, also when it got the inode of the earlier (ext4 gives a freed one away at once). Kernels
/// with multigrain timestamps (Linux 6.13; ext4, XFS, Btrfs, tmpfs) do so themselves where a part is looked
/// at before it is renamed: the rename then gets a fine time, and nothing written later an earlier one.
/// Elsewhere times come in steps of up to 10 ms, so the part gets one from the fine clock, for one system
/// call. Immutable; owned by a FileStore.
class PartClock {
 public:
  /// Asks the file system, by writing a few times into `part`.
  static PartClock of(Result<PartFile> part);

  /// Before the part is looked at for the last time.
  Result<void> stamp(const PartFile& part) const;

 private:
  explicit PartClock(bool is_fine) : is_fine_(is_fine) {}

  bool is_fine_;
};

}  // namespace forklift
