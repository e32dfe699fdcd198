#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/result.h"
#include "worker/loop/event_loop.h"

namespace forklift {

/// Blocking work on its way through the disk pool. In flight it owns all it touches (lifetime rule 2).
class DiskJob {
 public:
  virtual ~DiskJob() = default;

  /// On a pool thread. Touches nothing but the job's own.
  virtual void run() = 0;

  /// On the loop thread, after run(). The job gets itself back and may hand itself on.
  virtual void done(std::unique_ptr<DiskJob> self) = 0;
};

/// How long a job may keep a thread. Jobs of a lane that may keep it for long have at most half of the
/// threads, and together all but one, so that short ones never wait for them alone.
enum class DiskLane : std::uint8_t {
  kShort,
  kLong,  // as long as a directory is big
  kRead,  // as long as a disk takes for much data
};

inline constexpr std::size_t kDiskLanes = 3;

/// The threads that do blocking file work for one worker: libuv's pool (UV_THREADPOOL_SIZE threads, 4 unless
/// told). What a loop turn submits starts together at its end, and a thread takes job after job while any
/// waits: waking threads, and being woken by them, costs once for many jobs. Jobs of one submitter run in
/// parallel; whoever needs order submits the next after the last is done.
/// Owned by the worker's main; the loop waits for the jobs, and so does the destructor.
class DiskPool final : private Deferred {
 public:
  explicit DiskPool(EventLoop& loop);
  ~DiskPool();

  /// Makes sure of the threads, which otherwise start with the first job and then end the process if they
  /// cannot.
  Result<void> start();

  void submit(std::unique_ptr<DiskJob> job, DiskLane lane = DiskLane::kShort);

  std::size_t in_flight() const { return in_flight_; }

 private:
  struct Shared;

  void run_deferred() override;
  void start_thread();
  void deliver();

  EventLoop& loop_;
  std::size_t threads_;
  std::size_t in_flight_ = 0;
  std::array<std::vector<std::unique_ptr<DiskJob>>, kDiskLanes> submitted_;  // in this turn
  std::unique_ptr<Shared> shared_;
};

}  // namespace forklift
