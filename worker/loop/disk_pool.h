#pragma once

#include <cstddef>
#include <memory>

namespace forklift {

class EventLoop;

/// Blocking work on its way through the disk pool. In flight it owns all it touches (lifetime rule 2).
class DiskJob {
 public:
  virtual ~DiskJob() = default;

  /// On a pool thread. Touches nothing but the job's own.
  virtual void run() = 0;

  /// On the loop thread, after run(). The job gets itself back and may hand itself on.
  virtual void done(std::unique_ptr<DiskJob> self) = 0;
};

/// The threads that do blocking file work for one worker: libuv's pool (UV_THREADPOOL_SIZE threads). Jobs of
/// one submitter run in parallel; whoever needs order submits the next after the last is done.
/// Owned by the worker's main; outlives its jobs, which the loop waits for.
class DiskPool {
 public:
  explicit DiskPool(EventLoop& loop) : loop_(loop) {}
  DiskPool(const DiskPool&) = delete;
  DiskPool& operator=(const DiskPool&) = delete;

  void submit(std::unique_ptr<DiskJob> job);

  std::size_t in_flight() const { return in_flight_; }

 private:
  struct Ticket;
  EventLoop& loop_;
  std::size_t in_flight_ = 0;
};

}  // namespace forklift
