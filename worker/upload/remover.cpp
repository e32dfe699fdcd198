#include "worker/upload/remover.h"

#include <optional>
#include <utility>

#include "worker/loop/disk_pool.h"

namespace forklift {

class Remover::Job final : public DiskJob {
 public:
  Job(Remover& owner, std::string name, ExpectedState expected)
      : owner_(&owner), services_(owner.services_), name_(std::move(name)), expected_(std::move(expected)) {}

  void run() override {
    if (const auto removed = services_.store.remove(name_, services_.durability, expected_); !removed) {
      error_ = removed.error();
    }
  }

  void done(std::unique_ptr<DiskJob>) override {
    if (owner_ != nullptr) owner_->returned(error_);
  }

  void cut_owner() { owner_ = nullptr; }

 private:
  Remover* owner_;
  const UploadServices& services_;
  std::string name_;
  ExpectedState expected_;
  std::optional<Error> error_;
};

Remover::Remover(const UploadServices& services, Resumer& resumer, std::string name, ExpectedState expected)
    : services_(services), resumer_(resumer), name_(std::move(name)), expected_(std::move(expected)) {}

Remover::~Remover() {
  if (in_flight_ != nullptr) in_flight_->cut_owner();
}

Result<Flow> Remover::step() {
  if (returned_) {
    if (error_) return *error_;
    return Flow::kDone;
  }
  if (in_flight_ == nullptr) {
    auto job = std::make_unique<Job>(*this, std::move(name_), std::move(expected_));
    in_flight_ = job.get();
    services_.disk.submit(std::move(job));
  }
  return Flow::kWaitDisk;
}

void Remover::returned(const std::optional<Error>& error) {
  in_flight_ = nullptr;
  returned_ = true;
  error_ = error;
  resumer_.resume();
}

}  // namespace forklift
