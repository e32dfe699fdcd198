#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "worker/upload/body_sink.h"

namespace forklift {

/// A sink that fills slabs on the loop thread while its disk works elsewhere: two slabs, one on each side.
/// While the disk is busy the second slab is filled by as many reads as it takes, so slow clients cost few
/// steps. What the disk does with a step is the strategy's; there is one step at a time.
class SlabSink : public BodySink {
 public:
  Result<Flow> write(Chunk chunk) override;
  Result<Step> receive(Socket& socket, std::uint64_t limit) override;
  Result<Flow> finish() override;
  const Stored& stored() const override { return *stored_; }

 protected:
  /// With an `alignment_bytes` over 1 what is received lies in its slab as it will lie in the file, modulo
  /// that, and slabs go to the disk half filled only when the client pauses.
  SlabSink(const UploadServices& services, Resumer& resumer, std::size_t alignment_bytes = 1)
      : BodySink(services, resumer), alignment_bytes_(alignment_bytes) {}

  /// So long the body is, if that is known. A small one is gathered, as long as slabs are plentiful, and goes
  /// to the disk in one step.
  void expect(std::optional<std::uint64_t> size);

  /// Hands the chunks to the disk, then publishes where `publish`. Ends with step_done(), called later.
  virtual void start_step(std::vector<Chunk> chunks, bool publish) = 0;

  /// Loop thread. `stored` when the step published.
  void step_done(const std::optional<Error>& error, const std::optional<Stored>& stored);

  /// The next step of the caller gets this.
  void fail(const Error& error) { error_ = error; }

  /// Puts chunks behind those that wait; they go with the next step.
  void enqueue(std::vector<Chunk> chunks);

  /// Starts a step where none is in flight and something waits.
  void submit_waiting();

 private:
  Flow wait();
  bool may_hold_more() const;
  bool gathers() const;
  bool partly_filled_goes() const { return alignment_bytes_ == 1 || stalled_ || finishing_; }
  bool acquire_filling();
  void take_filled();

  std::size_t alignment_bytes_;
  bool gathered_ = false;
  std::uint64_t taken_ = 0;  // bytes of the body, so far
  std::vector<Chunk> waiting_chunks_;
  std::size_t submitted_ = 0;  // chunks of the step in flight
  bool in_flight_ = false;
  SlabRef filling_;
  std::size_t first_ = 0;   // of filling_: where its bytes begin
  std::size_t filled_ = 0;  // of filling_: where they end
  bool stalled_ = false;    // the client had nothing to read
  bool finishing_ = false;
  bool waiting_ = false;
  std::optional<Error> error_;
  std::optional<Stored> stored_;
};

}  // namespace forklift
