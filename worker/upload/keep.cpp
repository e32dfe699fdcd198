#include "worker/upload/keep.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/log.h"
#include "worker/loop/disk_pool.h"
#include "worker/upload/form.h"

namespace forklift {

namespace {

/// A pool thread is not away for longer than that many removals take.
constexpr std::size_t kBatchFilesMax = 64;

}  // namespace

class Keeper::Job final : public DiskJob {
 public:
  Job(Keeper& owner, std::vector<std::string> files)
      : owner_(&owner), store_(owner.store_), files_(std::move(files)) {}

  void run() override {
    for (const std::string& file : files_) {
      const auto removed = store_.remove(file, Durability::kNone);
      // A client may have been faster.
      if (!removed && removed.error().code != ErrorCode::kNotFound) failure_ = removed.error();
    }
  }

  void done(std::unique_ptr<DiskJob>) override {
    if (failure_) log::warning("could not remove an old upload: ", failure_->operation);
    if (owner_ == nullptr) return;
    owner_->in_flight_ = nullptr;
    owner_->remove_oldest();
  }

  void cut_owner() { owner_ = nullptr; }

 private:
  Keeper* owner_;
  const FileStore& store_;
  std::vector<std::string> files_;
  std::optional<Error> failure_;
};

Keeper::~Keeper() {
  if (in_flight_ != nullptr) in_flight_->cut_owner();
}

void Keeper::published(const Stored& stored) {
  if (files_max_ == 0 || stored.ephemeral) return;
  files_.push_back(stored.file_path);
  remove_oldest();
}

void Keeper::published(const FormContent& form) {
  for (const FormFile& file : form.files) published(file.stored);
}

void Keeper::remove_oldest() {
  if (in_flight_ != nullptr || files_.size() <= files_max_) return;
  const std::size_t count = std::min(files_.size() - files_max_, kBatchFilesMax);
  const auto end = files_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<std::string> oldest(std::make_move_iterator(files_.begin()), std::make_move_iterator(end));
  files_.erase(files_.begin(), end);
  auto job = std::make_unique<Job>(*this, std::move(oldest));
  in_flight_ = job.get();
  disk_.submit(std::move(job));
}

}  // namespace forklift
