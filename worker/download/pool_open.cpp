#include "worker/download/pool_open.h"

#include <memory>
#include <utility>

#include "worker/loop/disk_pool.h"

namespace forklift {

class PoolOpen::Job final : public DiskJob {
 public:
  Job(PoolOpen& owner, DownloadTarget target)
      : owner_(&owner), services_(owner.services_), target_(std::move(target)) {}

  void run() override { opened_.emplace(open_target(services_, target_)); }

  void done(std::unique_ptr<DiskJob>) override {
    if (owner_ != nullptr) owner_->returned(*std::move(opened_));
  }

  void cut_owner() { owner_ = nullptr; }

 private:
  PoolOpen* owner_;
  const DownloadServices& services_;
  DownloadTarget target_;
  std::optional<Result<OpenedFile>> opened_;
};

PoolOpen::~PoolOpen() {
  if (in_flight_ != nullptr) in_flight_->cut_owner();
}

Result<Flow> PoolOpen::step(const DownloadTarget& target, std::optional<OpenedFile>& file) {
  if (opened_) {
    if (!*opened_) return opened_->error();
    file.emplace(**std::move(opened_));
    return Flow::kDone;
  }
  if (in_flight_ == nullptr) {
    auto job = std::make_unique<Job>(*this, target);
    in_flight_ = job.get();
    services_.disk.submit(std::move(job));
  }
  return Flow::kWaitDisk;
}

void PoolOpen::returned(Result<OpenedFile> opened) {
  in_flight_ = nullptr;
  opened_.emplace(std::move(opened));
  resumer_.resume();
}

}  // namespace forklift
