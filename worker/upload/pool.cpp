#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "worker/loop/disk_pool.h"
#include "worker/loop/socket.h"
#include "worker/upload/body_sink.h"

namespace forklift {

namespace {

/// Slabs one upload may hold: one being written, one being filled.
constexpr std::size_t kSlabsHeldMax = 2;

class PoolSink;

/// One upload on the disk pool: its part, and the chunks of the step in flight. The sink owns it between
/// steps, the pool during one. Orphaned, it throws its part away on the pool.
class PoolUpload final : public DiskJob {
 public:
  PoolUpload(const UploadServices& services, UploadTarget target)
      : services_(services), target_(std::move(target)) {}

  void run() override {
    if (abandoned_) {
      part_.reset();
      return;
    }
    if (const auto written = write_chunks(); !written) {
      error_ = written.error();
    } else if (publishing_ && !abandoned_) {
      publish();
    }
  }

  void done(std::unique_ptr<DiskJob> self) override;

  /// Loop thread, between steps.
  void add(std::vector<Chunk> chunks, bool publish) {
    chunks_ = std::move(chunks);
    publishing_ = publish;
  }

  static void submit(std::unique_ptr<PoolUpload> upload, PoolSink& owner) {
    upload->owner_ = &owner;
    DiskPool& disk = upload->services_.disk;
    disk.submit(std::move(upload));
  }

  /// The sink is gone and no step is in flight.
  static void throw_away(std::unique_ptr<PoolUpload> upload) {
    if (!upload->part_) return;
    upload->abandon();
    DiskPool& disk = upload->services_.disk;
    disk.submit(std::move(upload));
  }

  /// The sink is gone. What a step in flight has published by now stays.
  void abandon() {
    owner_ = nullptr;
    abandoned_ = true;
  }
  const std::optional<Error>& error() const { return error_; }
  const std::optional<Stored>& stored() const { return stored_; }

 private:
  Result<void> write_chunks() {
    if (!part_) {
      auto part = services_.store.begin();
      if (!part) return part.error();
      part_.emplace(*std::move(part));
    }
    for (const Chunk& chunk : chunks_) {
      if (abandoned_) return {};
      if (auto written = part_->write(chunk.bytes()); !written) return written;
      size_ += chunk.size();
    }
    return {};
  }

  void publish() {
    auto stored = services_.store.publish(*part_, target_, size_, services_.durability);
    if (stored) {
      stored_ = *std::move(stored);
    } else {
      error_ = stored.error();
    }
    part_.reset();
  }

  const UploadServices& services_;
  UploadTarget target_;
  std::optional<PartFile> part_;
  std::vector<Chunk> chunks_;
  std::uint64_t size_ = 0;
  bool publishing_ = false;
  std::atomic<bool> abandoned_ = false;  // set on the loop thread, seen by a step at its next stage
  std::optional<Error> error_;
  std::optional<Stored> stored_;
  PoolSink* owner_ = nullptr;
};

/// Reads on the loop thread while a pool thread writes: two slabs, one on each side. While the disk is busy
/// the second slab is filled by as many reads as it takes, so slow clients cost few jobs.
class PoolSink final : public BodySink {
 public:
  PoolSink(const UploadServices& services, Resumer& resumer, UploadTarget target)
      : BodySink(services, resumer), upload_(std::make_unique<PoolUpload>(services, std::move(target))) {}

  ~PoolSink() override {
    if (in_flight_ != nullptr) {
      in_flight_->abandon();
    } else {
      PoolUpload::throw_away(std::move(upload_));
    }
  }

  Result<Flow> write(Chunk chunk) override {
    if (error_) return *error_;
    if (!chunk.empty()) waiting_chunks_.push_back(std::move(chunk));
    submit_waiting();
    return held() < kSlabsHeldMax ? Flow::kMore : wait();
  }

  Result<Step> receive(Socket& socket, std::uint64_t limit) override {
    if (error_) return *error_;
    if (held() >= kSlabsHeldMax) return Step{wait(), 0};
    if (!filling_) filling_ = services_.slabs.acquire(resumer_);
    if (!filling_) return Step{Flow::kWaitDisk, 0};
    const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit, kSlabBytes - filled_));
    const Result<Io> io = socket.receive({filling_.data() + filled_, bytes_max});
    if (!io) return io.error();
    if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
    if (io->state == Io::State::kWouldBlock) {
      // A client that is slow to send keeps no slab from the others.
      if (filled_ == 0) filling_ = SlabRef();
      return Step{Flow::kWaitReadable, 0};
    }
    filled_ += io->bytes;
    if (filled_ == kSlabBytes || in_flight_ == nullptr) take_filled();
    submit_waiting();
    return Step{held() < kSlabsHeldMax ? Flow::kMore : wait(), io->bytes};
  }

  Result<Flow> finish() override {
    if (error_) return *error_;
    if (stored_) return Flow::kDone;
    finishing_ = true;
    submit_waiting();
    return wait();
  }

  const Stored& stored() const override { return *stored_; }

  /// The step in flight is through: loop thread.
  void returned(std::unique_ptr<PoolUpload> upload) {
    in_flight_ = nullptr;
    upload_ = std::move(upload);
    error_ = upload_->error();
    stored_ = upload_->stored();
    if (!error_ && !stored_) submit_waiting();
    if (waiting_ || error_) resumer_.resume();
    waiting_ = false;
  }

 private:
  Flow wait() {
    waiting_ = true;
    return Flow::kWaitDisk;
  }

  std::size_t held() const { return waiting_chunks_.size() + (in_flight_ == nullptr ? 0 : submitted_); }

  void take_filled() {
    if (!filling_) return;
    waiting_chunks_.emplace_back(std::move(filling_), 0, filled_);
    filling_ = SlabRef();
    filled_ = 0;
  }

  void submit_waiting() {
    if (in_flight_ != nullptr) return;
    take_filled();
    if (waiting_chunks_.empty() && !finishing_) return;
    submitted_ = waiting_chunks_.size();
    upload_->add(std::exchange(waiting_chunks_, {}), finishing_);
    in_flight_ = upload_.get();
    PoolUpload::submit(std::move(upload_), *this);
  }

  std::unique_ptr<PoolUpload> upload_;  // empty while a step is in flight
  PoolUpload* in_flight_ = nullptr;
  std::vector<Chunk> waiting_chunks_;
  std::size_t submitted_ = 0;
  SlabRef filling_;
  std::size_t filled_ = 0;
  bool finishing_ = false;
  bool waiting_ = false;
  std::optional<Error> error_;
  std::optional<Stored> stored_;
};

void PoolUpload::done(std::unique_ptr<DiskJob> self) {
  chunks_.clear();
  self.release();
  std::unique_ptr<PoolUpload> upload(this);
  if (owner_ != nullptr) {
    owner_->returned(std::move(upload));
  } else {
    throw_away(std::move(upload));
  }
}

}  // namespace

std::unique_ptr<BodySink> make_pool_sink(const UploadServices& services, Resumer& resumer,
                                         UploadTarget target, std::optional<std::uint64_t>) {
  return std::make_unique<PoolSink>(services, resumer, std::move(target));
}

}  // namespace forklift
