#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/result.h"
#include "common/shared_mapping.h"
#include "common/unique_fd.h"

namespace forklift {

enum class WorkerState : std::uint32_t { kBooting = 0, kReady = 1, kServing = 2, kDraining = 3 };

/// What one worker says about itself, in a region of shared memory that only it writes; the master and the
/// worker's siblings read it. No pointers, no indices that steer anything; every field is a lock-free atomic
/// of fixed width, written with relaxed stores by the loop's thread; the last two are added to by any thread
/// of the worker, in one order for all (worker/storage/space.h). New fields go at the end and raise
/// kScoreboardVersion and kAbi.
struct Scoreboard {
  using Counter = std::atomic<std::uint64_t>;

  std::atomic<std::uint32_t> version;  // kScoreboardVersion, written first
  std::atomic<std::uint32_t> state;    // a WorkerState
  Counter beats;                       // grows each loop turn, and each beat_interval() when nothing happens
  Counter connections;                 // open now
  Counter accepted;                    // since the start, as all below
  Counter requests;                    // answered
  std::array<Counter, 6> answers;      // by status class: [2] = 2xx; [0] = closed without an answer
  Counter bytes_received;              // from sockets
  Counter bytes_sent;                  // to sockets
  Counter uploads_committed;           // published files
  Counter slab_bytes;                  // memory of bodies in flight now
  Counter disk_job_since_ms;           // steady clock, start of the oldest disk job in flight; 0: none
  Counter downloads_broken;            // ended before their end: the file became shorter or could not be read
  alignas(64) Counter space_asked;     // bytes of disk that uploads ask for this moment
  Counter space_promised;              // bytes of disk that uploads were promised and have not written
};

inline constexpr std::uint32_t kScoreboardVersion = 3;
inline constexpr std::size_t kScoreboardBytes = 64 * 1024;

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(Scoreboard) <= kScoreboardBytes);

/// How often a worker whose loop has nothing to do beats, and how often the master looks: often enough that
/// `timeout` (Config::timeout) holds four of them, once a second at most.
inline std::chrono::milliseconds beat_interval(std::chrono::milliseconds timeout) {
  using std::chrono::milliseconds;
  if (timeout <= milliseconds(0)) return milliseconds(1000);
  return std::clamp(timeout / 4, milliseconds(50), milliseconds(1000));
}

/// The only writer adds without a locked instruction.
inline void add(Scoreboard::Counter& counter, std::uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
inline void subtract(Scoreboard::Counter& counter, std::uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
}
inline void set_state(Scoreboard& scoreboard, WorkerState state) {
  scoreboard.state.store(static_cast<std::uint32_t>(state), std::memory_order_relaxed);
}

/// A Scoreboard as read once: plain values, checked. The worker that wrote it may be broken or hostile, so
/// nothing here is more than a figure to show or to compare with the one before.
struct ScoreboardSnapshot {
  bool valid = false;  // the version is ours and the state is one
  WorkerState state = WorkerState::kBooting;
  std::uint64_t beats = 0;
  std::uint64_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 6> answers{};
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t uploads_committed = 0;
  std::uint64_t slab_bytes = 0;
  std::uint64_t disk_job_since_ms = 0;
  std::uint64_t downloads_broken = 0;
};

ScoreboardSnapshot read_scoreboard(const Scoreboard& board);

/// The worker's own scoreboard, the one mapping through which it is written. Owned by the worker's Ground for
/// the whole life of the process.
class ScoreboardRegion {
 public:
  /// Maps region number `region` of the master's pool writable, sets the version, closes `pool`: from then
  /// on the process has no way to write into a sibling's region. Errors: no such region, no memory.
  static Result<ScoreboardRegion> open_inherited(UniqueFd pool, int region);

  /// For a worker that runs alone.
  static Result<ScoreboardRegion> anonymous();

  Scoreboard& board() { return *static_cast<Scoreboard*>(memory_.address()); }
  ScoreboardSnapshot read() const {
    return read_scoreboard(*static_cast<const Scoreboard*>(memory_.address()));
  }

 private:
  explicit ScoreboardRegion(SharedMapping memory);

  SharedMapping memory_;
};

}  // namespace forklift
