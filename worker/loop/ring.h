#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/result.h"
#include "worker/loop/chunk.h"

namespace forklift {

class EventLoop;

/// One read or write on its way through the ring. In flight it owns all it touches (lifetime rule 2): the
/// file and the slab.
class RingOperation {
 public:
  virtual ~RingOperation() = default;

  /// On the loop thread, never from within Ring::write or Ring::read. `result` is what the system call would
  /// have returned, or minus errno. The operation gets itself back and may be submitted again.
  virtual void completed(std::unique_ptr<RingOperation> self, int result) = 0;
};

/// One io_uring(7) for the file operations of one worker: what a loop turn asks for is submitted together
/// before the loop sleeps, and the completions wake the loop like any descriptor. Slabs are registered as
/// they come by, as far as RLIMIT_MEMLOCK lets (4 MiB at most), so that their pages need not be looked up
/// again; the others are written as they are. One a SlabPool. Owned by the worker's main, on whose loop it
/// lives; goes before the SlabPool, and waits for what is in flight.
class Ring {
 public:
  /// kUnsupported: this kernel, or its seccomp filter, has no io_uring.
  static Result<std::unique_ptr<Ring>> open(EventLoop& loop);

  /// What open() would say, without a loop.
  static Result<void> probe();

  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  /// `bytes` (> 0) of the chunk's memory from, or to, the file at `offset`. May move less. The operation
  /// holds a share in the chunk's slab.
  void write(std::unique_ptr<RingOperation> operation, int fd, const Chunk& chunk, std::size_t bytes,
             std::uint64_t offset);
  void read(std::unique_ptr<RingOperation> operation, int fd, Chunk& chunk, std::size_t bytes,
            std::uint64_t offset);

  std::size_t in_flight() const;

 private:
  struct State;
  explicit Ring(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace forklift
