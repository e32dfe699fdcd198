#include "common/scoreboard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <utility>

#include "common/errno_error.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace forklift {
namespace {

Result<void*> map(int protection, int flags, int fd) {
  void* const memory = ::mmap(nullptr, kScoreboardBytes, protection, flags, fd, 0);
  if (memory == MAP_FAILED) return errno_error("mmap of the scoreboard");
  return memory;
}

std::uint64_t load(const Scoreboard::Counter& counter) { return counter.load(std::memory_order_relaxed); }

void set_version(void* memory) {
  static_cast<Scoreboard*>(memory)->version.store(kScoreboardVersion, std::memory_order_release);
}

}  // namespace

Result<ScoreboardRegion> ScoreboardRegion::create() {
  UniqueFd fd(::memfd_create("forklift-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return errno_error("memfd_create");
  if (::ftruncate(fd.get(), kScoreboardBytes) != 0) return errno_error("ftruncate of the scoreboard");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return errno_error("seal the scoreboard");
  const auto memory = map(PROT_READ, MAP_SHARED, fd.get());
  if (!memory) return memory.error();
  return ScoreboardRegion(*memory, std::move(fd));
}

Result<ScoreboardRegion> ScoreboardRegion::open_inherited(UniqueFd fd) {
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) return errno_error("fstat of the scoreboard");
  if (status.st_size != static_cast<off_t>(kScoreboardBytes)) {
    return Error{ErrorCode::kIo, "recognise the scoreboard", EPROTO};
  }
  const auto memory = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd.get());
  if (!memory) return memory.error();
  set_version(*memory);
  return ScoreboardRegion(*memory, UniqueFd());
}

Result<ScoreboardRegion> ScoreboardRegion::anonymous() {
  const auto memory = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!memory) return memory.error();
  set_version(*memory);
  return ScoreboardRegion(*memory, UniqueFd());
}

ScoreboardRegion::ScoreboardRegion(ScoreboardRegion&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), fd_(std::move(other.fd_)) {}

ScoreboardRegion& ScoreboardRegion::operator=(ScoreboardRegion&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(fd_, other.fd_);
  return *this;
}

ScoreboardRegion::~ScoreboardRegion() {
  if (memory_ != nullptr) ::munmap(memory_, kScoreboardBytes);
}

ScoreboardSnapshot ScoreboardRegion::read() const {
  const auto& board = *static_cast<const Scoreboard*>(memory_);
  ScoreboardSnapshot copy;
  const std::uint32_t version = board.version.load(std::memory_order_acquire);
  const std::uint32_t state = board.state.load(std::memory_order_relaxed);
  copy.valid = version == kScoreboardVersion && state <= static_cast<std::uint32_t>(WorkerState::kDraining);
  if (copy.valid) copy.state = static_cast<WorkerState>(state);
  copy.beats = load(board.beats);
  copy.connections = load(board.connections);
  copy.accepted = load(board.accepted);
  copy.requests = load(board.requests);
  for (std::size_t i = 0; i < copy.answers.size(); ++i) copy.answers[i] = load(board.answers[i]);
  copy.bytes_received = load(board.bytes_received);
  copy.bytes_sent = load(board.bytes_sent);
  copy.uploads_committed = load(board.uploads_committed);
  copy.slab_bytes = load(board.slab_bytes);
  copy.disk_job_since_ms = load(board.disk_job_since_ms);
  return copy;
}

Result<void> ScoreboardRegion::seal() {
  if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) {
    return errno_error("seal the scoreboard");
  }
  return {};
}

}  // namespace forklift
