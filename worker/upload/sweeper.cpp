#include "worker/upload/sweeper.h"

#include <memory>
#include <utility>

#include "common/log.h"
#include "worker/loop/disk_pool.h"

namespace forklift {

namespace {

constexpr std::chrono::minutes kSweepEvery{5};

}  // namespace

class Sweeper::Job final : public DiskJob {
 public:
  explicit Job(Sweeper& owner)
      : owner_(&owner), store_(owner.services_.store), age_max_(owner.part_age_max_) {}

  void run() override { swept_ = store_.sweep_parts(age_max_); }

  void done(std::unique_ptr<DiskJob>) override {
    if (!swept_) {
      log::warning("could not sweep old parts: ", swept_.error().operation);
    } else if (*swept_ > 0) {
      log::info("swept ", *swept_, " parts of interrupted uploads");
    }
    if (owner_ != nullptr) owner_->in_flight_ = nullptr;
  }

  void cut_owner() { owner_ = nullptr; }

 private:
  Sweeper* owner_;
  const FileStore& store_;
  milliseconds age_max_;
  Result<std::size_t> swept_{std::size_t{0}};
};

Sweeper::Sweeper(EventLoop& loop, const UploadServices& services, milliseconds part_age_max)
    : services_(services), part_age_max_(part_age_max), timer_(loop, *this, false) {}

Sweeper::~Sweeper() {
  if (in_flight_ != nullptr) in_flight_->cut_owner();
}

void Sweeper::start() {
  timer_due();
  timer_.start(kSweepEvery);
}

void Sweeper::timer_due() {
  if (in_flight_ != nullptr) return;
  auto job = std::make_unique<Job>(*this);
  in_flight_ = job.get();
  services_.disk.submit(std::move(job));
}

}  // namespace forklift
