#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/scoreboard.h"

/// The shared memory of a fleet: one memfd made by the master, a header and then one region a process.
///
/// Who may write what. A worker maps its own region writable, and everything read-only through a second,
/// read-only descriptor; both are closed before it reads its first byte of input. So a worker gone mad can
/// write into its own region and no other: the read-only mapping can't be made writable (mprotect(2) asks
/// how the file was opened), and no writable descriptor is left to map again. The seals keep the memory
/// from being shrunk from under its readers. F_SEAL_FUTURE_WRITE, which would make the kernel enforce it
/// even against a worker taken over before READY, is not used: it is of the whole file and would lock out
/// the next worker; one file a worker would need every worker's descriptor passed to every other.
namespace forklift {

/// Process regions; the file is sparse, what nobody has used costs nothing.
inline constexpr int kRegionsMax = 2048;

/// First in the memory. Written by the master alone.
struct FleetHeader {
  std::atomic<std::uint32_t> version;          // kScoreboardVersion
  std::atomic<std::uint32_t> regions_watched;  // no process has a region from this number on
};

constexpr std::size_t region_offset(int region) {
  return (static_cast<std::size_t>(region) + 1) * kScoreboardBytes;
}
inline constexpr std::size_t kFleetMemoryBytes = region_offset(kRegionsMax);

/// Whether the descriptor is of that size; a look at what was inherited, no proof.
bool is_fleet_memory(int fd);

/// Everybody's scoreboards, read-only, as a worker sees its siblings. What is read there may be anything: a
/// sibling may have gone mad. Owned by the worker's Ground.
class FleetView {
 public:
  /// Closes `read_only`.
  static Result<FleetView> open_inherited(UniqueFd read_only, int own_region);

  /// Regions to look at, numbered from 0. Most are in use; the version of one that isn't is 0.
  int regions() const;
  int own_region() const { return own_region_; }
  const Scoreboard& region(int number) const;

 private:
  FleetView(SharedMapping memory, int own_region);

  SharedMapping memory_;
  int own_region_;
};

class ScoreboardPool;

/// The use of one region by one process, from the spawn until it is reaped. Owned by its WorkerProcess.
/// When it ends, what the process had counted goes into the pool's totals and the region is empty again.
class ScoreboardLease {
 public:
  ScoreboardLease(ScoreboardLease&& other) noexcept;
  ScoreboardLease& operator=(ScoreboardLease&&) = delete;
  ~ScoreboardLease();

  int region() const { return region_; }
  ScoreboardSnapshot read() const;

 private:
  friend class ScoreboardPool;
  ScoreboardLease(ScoreboardPool& pool, int region) : pool_(&pool), region_(region) {}

  ScoreboardPool* pool_;
  int region_;
};

/// The master's side: makes the memory when the master starts and gives out its regions. Owned by the
/// Supervisor; outlives every lease.
class ScoreboardPool {
 public:
  static Result<std::unique_ptr<ScoreboardPool>> create();
  ScoreboardPool(const ScoreboardPool&) = delete;
  ScoreboardPool& operator=(const ScoreboardPool&) = delete;

  /// An empty region. The error: all are in use.
  Result<ScoreboardLease> take();

  int writable_fd() const { return writable_.get(); }
  int read_only_fd() const { return read_only_.get(); }

  /// What every process has counted since the master started, the dead included. Only counters that never
  /// fall, and connections; as true as the workers were.
  ScoreboardSnapshot totals() const;

 private:
  friend class ScoreboardLease;
  ScoreboardPool(UniqueFd writable, UniqueFd read_only, SharedMapping memory, SharedMapping header);

  FleetHeader& header() { return *static_cast<FleetHeader*>(header_.address()); }
  ScoreboardSnapshot read(int region) const;
  void give_back(int region);
  void publish_regions_watched();

  UniqueFd writable_;
  UniqueFd read_only_;
  SharedMapping memory_;  // read-only
  SharedMapping header_;  // writable
  std::vector<bool> taken_;
  ScoreboardSnapshot dead_;
};

}  // namespace forklift
