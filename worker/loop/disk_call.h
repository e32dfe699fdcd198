#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "common/result.h"
#include "worker/loop/disk_pool.h"
#include "worker/loop/flow.h"

namespace forklift {

/// One blocking call on the disk pool for somebody on the loop thread, who owns this and may destroy it
/// early: then what comes is for nobody.
template <typename Value>
class DiskCall {
 public:
  /// Submits `work`: it gives a Result<Value>, and owns what it touches. It takes nothing, or a flag that is
  /// the job's own and set as soon as nobody wants the outcome any more.
  template <typename Work>
  DiskCall(DiskPool& disk, Resumer& resumer, Work work, DiskLane lane = DiskLane::kShort)
      : resumer_(resumer) {
    auto job = std::make_unique<WorkJob<Work>>(*this, std::move(work));
    in_flight_ = job.get();
    disk.submit(std::move(job), lane);
  }
  DiskCall(const DiskCall&) = delete;
  DiskCall& operator=(const DiskCall&) = delete;
  ~DiskCall() {
    if (in_flight_ == nullptr) return;
    in_flight_->owner = nullptr;
    in_flight_->abandoned.store(true, std::memory_order_relaxed);
  }

  /// Nothing until the call has returned and resume() was called.
  const std::optional<Result<Value>>& outcome() const { return outcome_; }

 private:
  struct Job : DiskJob {
    explicit Job(DiskCall& for_whom) : owner(&for_whom) {}

    void done(std::unique_ptr<DiskJob>) override {
      if (owner == nullptr) return;
      owner->in_flight_ = nullptr;
      owner->outcome_ = std::move(outcome);
      owner->resumer_.resume();
    }

    DiskCall* owner;  // the loop thread's
    std::atomic<bool> abandoned{false};
    std::optional<Result<Value>> outcome;
  };

  template <typename Work>
  struct WorkJob final : Job {
    WorkJob(DiskCall& for_whom, Work to_do) : Job(for_whom), work(std::move(to_do)) {}
    void run() override {
      if constexpr (std::is_invocable_v<Work&, const std::atomic<bool>&>) {
        this->outcome.emplace(work(this->abandoned));
      } else {
        this->outcome.emplace(work());
      }
    }
    Work work;
  };

  Resumer& resumer_;
  Job* in_flight_ = nullptr;
  std::optional<Result<Value>> outcome_;
};

}  // namespace forklift
