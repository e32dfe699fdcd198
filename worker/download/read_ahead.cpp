#include "worker/download/read_ahead.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/page_cache.h"
#include "worker/loop/disk_pool.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"

namespace forklift {

class ReadAhead::Job final : public DiskJob {
 public:
  Job(ReadAhead& for_whom, UniqueFd file, std::uint64_t from, std::uint64_t to)
      : owner(&for_whom), fd(std::move(file)), begin(from), end(to) {}

  void run() override {
    // All of it is asked for at once, then waited for. A failure shows in the reading.
    (void)file_ops::read_ahead(fd.get(), begin, end - begin);
    std::array<std::byte, 64 * 1024> scratch;
    for (std::uint64_t offset = begin; offset < end;) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(scratch.size(), end - offset));
      const ssize_t got = retry_eintr([&] {
        return file_ops::read_at(fd.get(), {scratch.data(), wanted}, offset);
      });
      if (got < 0) read = errno_error("pread");
      if (got <= 0) return;  // shorter by now: who sends will see it
      offset += static_cast<std::uint64_t>(got);
    }
  }

  void done(std::unique_ptr<DiskJob>) override {
    if (owner != nullptr) owner->returned(*this);
  }

  ReadAhead* owner;
  UniqueFd fd;
  const std::uint64_t begin;
  const std::uint64_t end;
  Result<void> read;
};

ReadAhead::~ReadAhead() {
  if (in_flight_ != nullptr) in_flight_->owner = nullptr;
}

Result<Flow> ReadAhead::step(OpenedFile& file, std::uint64_t begin, std::uint64_t end) {
  if (in_flight_ != nullptr) return Flow::kWaitDisk;
  if (const auto read = std::exchange(read_, std::nullopt)) {
    return read->ok() ? Result<Flow>(Flow::kMore) : read->error();
  }
  if (services_.pages.holds(file, begin, end)) return Flow::kMore;
  auto job = std::make_unique<Job>(*this, std::move(file.fd), begin, end);
  in_flight_ = job.get();
  file_ = &file;
  services_.disk.submit(std::move(job), DiskLane::kRead);
  return Flow::kWaitDisk;
}

void ReadAhead::returned(Job& job) {
  in_flight_ = nullptr;
  file_->fd = std::move(job.fd);
  read_ = job.read;
  if (job.read) services_.pages.brought(*file_, job.begin, job.end);
  resumer_.resume();
}

}  // namespace forklift
