#include "common/scoreboard.h"

#include <cerrno>
#include <utility>

#include "common/fleet_memory.h"

namespace forklift {
namespace {

std::uint64_t load(const Scoreboard::Counter& counter) { return counter.load(std::memory_order_relaxed); }

}  // namespace

Result<ScoreboardRegion> ScoreboardRegion::open_inherited(UniqueFd pool, int region) {
  if (!is_fleet_memory(pool.get()) || region < 0 || region >= kRegionsMax) {
    return Error{ErrorCode::kIo, "recognise the scoreboard", EPROTO};
  }
  auto memory = SharedMapping::of(pool.get(), region_offset(region), kScoreboardBytes,
                                  SharedMapping::Access::kReadWrite);
  if (!memory) return memory.error();
  return ScoreboardRegion(*std::move(memory));
}

Result<ScoreboardRegion> ScoreboardRegion::anonymous() {
  auto memory = SharedMapping::anonymous(kScoreboardBytes);
  if (!memory) return memory.error();
  return ScoreboardRegion(*std::move(memory));
}

ScoreboardRegion::ScoreboardRegion(SharedMapping memory) : memory_(std::move(memory)) {
  board().version.store(kScoreboardVersion, std::memory_order_release);
}

ScoreboardSnapshot read_scoreboard(const Scoreboard& board) {
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
  copy.downloads_broken = load(board.downloads_broken);
  return copy;
}

}  // namespace forklift
