#include "common/fleet_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

#include "common/errno_error.h"

namespace forklift {
namespace {

using Access = SharedMapping::Access;

const Scoreboard& board_at(const SharedMapping& memory, int region) {
  const auto* const bytes = static_cast<const std::byte*>(memory.address());
  return *reinterpret_cast<const Scoreboard*>(bytes + region_offset(region));
}

Result<UniqueFd> make_memory() {
  UniqueFd fd(::memfd_create("forklift-scoreboards", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return errno_error("memfd_create");
  if (::ftruncate(fd.get(), static_cast<off_t>(kFleetMemoryBytes)) != 0) {
    return errno_error("ftruncate of the scoreboards");
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return errno_error("seal the scoreboards");
  }
  return fd;
}

void count(ScoreboardSnapshot& sum, const ScoreboardSnapshot& one) {
  sum.accepted += one.accepted;
  sum.requests += one.requests;
  for (std::size_t i = 0; i < sum.answers.size(); ++i) sum.answers[i] += one.answers[i];
  sum.bytes_received += one.bytes_received;
  sum.bytes_sent += one.bytes_sent;
  sum.uploads_committed += one.uploads_committed;
  sum.downloads_broken += one.downloads_broken;
}

}  // namespace

bool is_fleet_memory(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && status.st_size == static_cast<off_t>(kFleetMemoryBytes);
}

Result<FleetView> FleetView::open_inherited(UniqueFd read_only, int own_region) {
  if (!is_fleet_memory(read_only.get())) {
    return Error{ErrorCode::kIo, "recognise the scoreboards", EPROTO};
  }
  auto memory = SharedMapping::of(read_only.get(), 0, kFleetMemoryBytes, Access::kRead);
  if (!memory) return memory.error();
  return FleetView(*std::move(memory), own_region);
}

FleetView::FleetView(SharedMapping memory, int own_region)
    : memory_(std::move(memory)), own_region_(own_region) {}

int FleetView::regions() const {
  const auto& header = *static_cast<const FleetHeader*>(memory_.address());
  const std::uint32_t watched = header.regions_watched.load(std::memory_order_relaxed);
  return static_cast<int>(std::min<std::uint32_t>(watched, kRegionsMax));
}

const Scoreboard& FleetView::region(int number) const { return board_at(memory_, number); }

ScoreboardLease::ScoreboardLease(ScoreboardLease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), region_(other.region_) {}

ScoreboardLease::~ScoreboardLease() {
  if (pool_ != nullptr) pool_->give_back(region_);
}

ScoreboardSnapshot ScoreboardLease::read() const { return pool_->read(region_); }

Result<std::unique_ptr<ScoreboardPool>> ScoreboardPool::create() {
  auto writable = make_memory();
  if (!writable) return writable.error();
  const std::string itself = "/proc/self/fd/" + std::to_string(writable->get());
  UniqueFd read_only(::open(itself.c_str(), O_RDONLY | O_CLOEXEC));
  if (!read_only) return errno_error("open the scoreboards read-only");
  auto memory = SharedMapping::of(read_only.get(), 0, kFleetMemoryBytes, Access::kRead);
  if (!memory) return memory.error();
  auto header = SharedMapping::of(writable->get(), 0, kScoreboardBytes, Access::kReadWrite);
  if (!header) return header.error();
  return std::unique_ptr<ScoreboardPool>(
      new ScoreboardPool(*std::move(writable), std::move(read_only), *std::move(memory), *std::move(header)));
}

ScoreboardPool::ScoreboardPool(UniqueFd writable, UniqueFd read_only, SharedMapping memory,
                               SharedMapping header_page)
    : writable_(std::move(writable)),
      read_only_(std::move(read_only)),
      memory_(std::move(memory)),
      header_(std::move(header_page)) {
  header().version.store(kScoreboardVersion, std::memory_order_release);
}

Result<ScoreboardLease> ScoreboardPool::take() {
  auto free = std::find(taken_.begin(), taken_.end(), false);
  if (free == taken_.end()) {
    if (taken_.size() == static_cast<std::size_t>(kRegionsMax)) {
      return Error{ErrorCode::kIo, "find a scoreboard that is free", ENOSPC};
    }
    free = taken_.insert(free, false);
  }
  *free = true;
  const auto region = static_cast<int>(free - taken_.begin());
  publish_regions_watched();
  return ScoreboardLease(*this, region);
}

void ScoreboardPool::give_back(int region) {
  if (const ScoreboardSnapshot last = read(region); last.valid) count(dead_, last);
  // A hole reads as zeros: to the siblings nobody is there.
  (void)::fallocate(writable_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(region_offset(region)), static_cast<off_t>(kScoreboardBytes));
  taken_[static_cast<std::size_t>(region)] = false;
  while (!taken_.empty() && !taken_.back()) taken_.pop_back();
  publish_regions_watched();
}

void ScoreboardPool::publish_regions_watched() {
  header().regions_watched.store(static_cast<std::uint32_t>(taken_.size()), std::memory_order_relaxed);
}

ScoreboardSnapshot ScoreboardPool::read(int region) const {
  return read_scoreboard(board_at(memory_, region));
}

ScoreboardSnapshot ScoreboardPool::totals() const {
  ScoreboardSnapshot sum = dead_;
  for (std::size_t region = 0; region < taken_.size(); ++region) {
    if (!taken_[region]) continue;
    const ScoreboardSnapshot one = read(static_cast<int>(region));
    if (!one.valid) continue;
    count(sum, one);
    sum.connections += one.connections;
  }
  return sum;
}

}  // namespace forklift
