#pragma once

#include <csignal>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/body_pattern.h"
#include "support/loop_support.h"
#include "support/socket_pair.h"
#include "support/store_fixture.h"
#include "worker/download/page_cache.h"
#include "worker/download/strategies.h"
#include "worker/loop/disk_pool.h"
#include "worker/loop/ring.h"
#include "worker/upload/form_uploads.h"
#include "worker/upload/splice_pipe.h"
#include "worker/upload/strategies.h"

namespace forklift::testing {

/// What a worker's main makes, for one test over one root: a loop, a store, a disk pool, a slab pool, a ring
/// where the kernel has one.
class StrategyFixture {
 public:
  explicit StrategyFixture(std::string root_path, std::size_t slab_bytes_max = 64 * kSlabBytes,
                           Durability durability = Durability::kNone,
                           std::size_t spool_bytes_max = 64 * kSlabBytes)
      : root(std::move(root_path)),
        store(FileStore::open(root.string()).value()),
        disk(loop()),
        slabs(slab_bytes_max),
        ring(open_ring(loop())),
        spool(spool_bytes_max),
        uploads{.store = store,
                .disk = disk,
                .slabs = slabs,
                .durability = durability,
                .ring = ring.get(),
                .splice_pipe = &splice_pipe,
                .spool = &spool,
                .forms = &forms},
        pages(loop()),
        downloads{store, disk, slabs, pages, {}, ring.get()} {
    std::signal(SIGPIPE, SIG_IGN);
  }

  EventLoop& loop() { return turns.loop; }

  static std::unique_ptr<Ring> open_ring(EventLoop& loop) {
    auto ring = Ring::open(loop);
    return ring ? *std::move(ring) : nullptr;
  }

  bool quiet() const { return disk.in_flight() == 0 && (!ring || ring->in_flight() == 0); }

  /// Lets the disk pool and the ring come to rest; then no slab is out and no part is left, whatever
  /// happened.
  void check_clean() {
    CHECK(turns.run_until([this] { return quiet(); }));
    CHECK(slabs.bytes_in_use() == 0);
    CHECK(spool.bytes_in_use() == 0);
    CHECK(forms.scraps.bytes_in_use() == 0);
    CHECK(forms.open_files() == 0);
    CHECK(parts_in(root).empty());
  }

  static constexpr std::size_t kFormFilesMax = 64;  // of all forms

  LoopFixture turns;
  fs::path root;
  FileStore store;
  DiskPool disk;
  SlabPool slabs;
  std::unique_ptr<Ring> ring;
  SplicePipe splice_pipe;
  SlabPool spool;
  FormUploads forms{kFormFilesMax};
  UploadServices uploads;
  PageCache pages;
  DownloadServices downloads;
};

/// Those of `strategies` that work over a store at `root`; says which do not.
template <typename Strategy>
std::vector<Strategy> working_strategies(std::span<const Strategy> strategies, const std::string& root) {
  const FileStore store = FileStore::open(root).value();
  std::vector<Strategy> working;
  for (const Strategy& strategy : strategies) {
    if (strategy.probe(store).ok()) {
      working.push_back(strategy);
    } else {
      WARN("SKIPPED: " << strategy.name << " does not work here");
    }
  }
  return working;
}

/// The strategies that work where temporary files lie.
inline const std::vector<SinkStrategy>& sinks_here() {
  static const auto here =
      working_strategies(sink_strategies(), TemporaryDirectory().path().string() + "/root");
  return here;
}
/// Those whose files stay.
inline std::vector<SinkStrategy> keeping_sinks_here() {
  std::vector<SinkStrategy> keeping;
  for (const SinkStrategy& strategy : sinks_here()) {
    if (strategy.kept) keeping.push_back(strategy);
  }
  return keeping;
}
inline const std::vector<SourceStrategy>& sources_here() {
  static const auto here =
      working_strategies(source_strategies(), TemporaryDirectory().path().string() + "/root");
  return here;
}

/// A StrategyFixture with a root of its own.
struct OwnRoot {
  TemporaryDirectory directory;
};
struct ContractFixture : OwnRoot, StrategyFixture {
  explicit ContractFixture(std::size_t slab_bytes_max = 64 * kSlabBytes,
                           Durability durability = Durability::kNone,
                           std::size_t spool_bytes_max = 64 * kSlabBytes)
      : StrategyFixture((directory.path() / "root").string(), slab_bytes_max, durability, spool_bytes_max) {}
};

}  // namespace forklift::testing
