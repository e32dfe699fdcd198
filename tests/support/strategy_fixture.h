#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "support/body_pattern.h"
#include "support/loop_support.h"
#include "support/socket_pair.h"
#include "support/store_fixture.h"
#include "worker/download/strategies.h"
#include "worker/loop/disk_pool.h"
#include "worker/upload/strategies.h"

namespace forklift::testing {

/// What a worker's main makes, for one test over one root: a loop, a store, a disk pool, a slab pool.
class StrategyFixture {
 public:
  explicit StrategyFixture(std::string root_path, std::size_t slab_bytes_max = 64 * kSlabBytes,
                           Durability durability = Durability::kNone)
      : root(std::move(root_path)),
        store(FileStore::open(root.string()).value()),
        disk(loop()),
        slabs(slab_bytes_max),
        uploads{store, disk, slabs, durability},
        downloads{store, disk, slabs, {}} {
    std::signal(SIGPIPE, SIG_IGN);
  }

  EventLoop& loop() { return turns.loop; }

  /// Lets the disk pool come to rest; then no slab is out and no part is left, whatever happened.
  void check_clean() {
    CHECK(turns.run_until([this] { return disk.in_flight() == 0; }));
    CHECK(slabs.bytes_in_use() == 0);
    CHECK(parts_in(root).empty());
  }

  LoopFixture turns;
  fs::path root;
  FileStore store;
  DiskPool disk;
  SlabPool slabs;
  UploadServices uploads;
  DownloadServices downloads;
};

/// A StrategyFixture with a root of its own.
struct OwnRoot {
  TemporaryDirectory directory;
};
struct ContractFixture : OwnRoot, StrategyFixture {
  explicit ContractFixture(std::size_t slab_bytes_max = 64 * kSlabBytes,
                           Durability durability = Durability::kNone)
      : StrategyFixture((directory.path() / "root").string(), slab_bytes_max, durability) {}
};

}  // namespace forklift::testing
