#pragma once

#include <cstdint>

namespace forklift {

/// What to do after one step of a transfer. Back-pressure is this return value.
enum class Flow : std::uint8_t {
  kMore,          // call again now
  kWaitReadable,  // call again when the socket is readable
  kWaitWritable,  // call again when the socket is writable
  kWaitDisk,      // do not call again until Resumer::resume(): a disk works, or others hold the memory
  kDone,          // this direction is finished
};

/// One step of a transfer: what comes next, and the bytes this step moved between socket and server.
struct Step {
  Flow flow;
  std::uint64_t bytes;
};

/// Whoever waits in Flow::kWaitDisk. A disk always answers, and is waited for as long as it takes. Memory is
/// given back when others are done, which may be never: whoever waits for it can be told from its pool
/// (SlabPool::waits(), BodySink::waits_for_memory()) and may give up. Called on the loop thread; it only
/// schedules, so it is safe to call from anywhere on that thread, and calling it twice is once.
class Resumer {
 public:
  virtual void resume() = 0;

 protected:
  ~Resumer() = default;
};

}  // namespace forklift
