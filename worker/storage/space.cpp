#include "worker/storage/space.h"

#include <algorithm>
#include <thread>

#include "worker/storage/file_store.h"

namespace forklift {
namespace {

/// A file takes whole blocks, of this size on most file systems.
constexpr std::uint64_t kBlockBytes = 4096;

/// A look at the disk serves for so long, and only for who leaves so much: no fleet writes that in that time
/// (50 GB/s), so the last bytes are never given away by an old figure.
constexpr milliseconds kSeenFor{10};
constexpr std::uint64_t kPlentyBytes = 512u << 20;

/// How often one asks again before others that ask too are taken to get what they ask for.
constexpr int kAttemptsMax = 16;

/// Two looks may find too little only because bytes were being written: they count twice for a moment.
constexpr int kAttemptsMin = 3;

/// A body of unknown length is promised this much at a time.
constexpr std::uint64_t kStepBytesMin = 1u << 20;
constexpr std::uint64_t kStepBytesMax = 64u << 20;

/// What a scoreboard says may be anything: sums stop at the largest number.
std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

/// Bodies are no longer than --limit-body can be, so that neither this nor a sum of them overflows.
constexpr std::uint64_t kBodyBytesMax = std::uint64_t{1} << 50;

std::uint64_t whole_blocks(std::uint64_t bytes) {
  return (std::min(bytes, kBodyBytesMax) + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

/// Long enough for another to have asked and withdrawn, and not as long as its pause.
void pause() {
  const auto spread = Clock::now().time_since_epoch().count() % 251;
  std::this_thread::sleep_for(std::chrono::microseconds(50 + spread));
}

}  // namespace

bool SpaceReserve::take_if_plenty(std::uint64_t bytes) {
  own_.space_asked.fetch_add(bytes);
  const Sums all = sums();  // before the clock: what was settled by then was written since the look
  const std::uint64_t seen = seen_lately();
  const bool given = sum(sum(all.promised, all.asked), kPlentyBytes) <= seen;
  end_asking(bytes, given);
  return given;
}

/// First the promise: a sum must never miss both.
void SpaceReserve::end_asking(std::uint64_t bytes, bool given) {
  if (given) own_.space_promised.fetch_add(bytes);
  own_.space_asked.fetch_sub(bytes);
}

std::uint64_t SpaceReserve::seen_lately() const {
  const std::lock_guard lock(mutex_);
  return Clock::now() - seen_at_ > kSeenFor ? 0 : usable(seen_bytes_);
}

Result<SpaceAnswer> SpaceReserve::take(std::uint64_t bytes) {
  for (int attempt = 1;; ++attempt) {
    const Result<Attempt> tried = try_to_take(bytes);
    if (!tried) return tried.error();
    const int attempts_max = tried->contended ? kAttemptsMax : kAttemptsMin;
    if (tried->answer.given || attempt >= attempts_max) return tried->answer;
    pause();
  }
}

Result<SpaceReserve::Attempt> SpaceReserve::try_to_take(std::uint64_t bytes) {
  const TimePoint now = Clock::now();
  own_.space_asked.fetch_add(bytes);
  const Sums all = sums();  // before the look: what is written in between counts twice
  const auto free_bytes = store_.free_bytes();
  const bool given = free_bytes && sum(all.promised, all.asked) <= usable(*free_bytes);
  end_asking(bytes, given);
  if (!free_bytes) return free_bytes.error();
  const std::lock_guard lock(mutex_);
  if (now > seen_at_) {
    seen_at_ = now;
    seen_bytes_ = *free_bytes;
  }
  return Attempt{{given, *free_bytes, all.promised, bytes}, sum(all.promised, bytes) <= usable(*free_bytes)};
}

void SpaceReserve::settle(std::uint64_t bytes) { own_.space_promised.fetch_sub(bytes); }

SpaceReserve::Sums SpaceReserve::sums() const {
  Sums all;
  const auto add = [&all](const Scoreboard& board) {
    // In this order: what is asked becomes a promise before it is no longer asked.
    all.asked = sum(all.asked, board.space_asked.load());
    all.promised = sum(all.promised, board.space_promised.load());
  };
  if (fleet_ == nullptr) {
    add(own_);
    return all;
  }
  for (int region = 0; region < fleet_->regions(); ++region) {
    const Scoreboard& board = fleet_->region(region);
    if (board.version.load(std::memory_order_acquire) == kScoreboardVersion) add(board);
  }
  return all;
}

std::uint64_t SpaceReserve::usable(std::uint64_t free_bytes) const {
  return free_bytes - std::min(free_bytes, reserved_bytes_);
}

bool SpaceClaim::grow_if_plenty(std::uint64_t body_bytes) {
  body_bytes = whole_blocks(body_bytes);
  if (!reserve_.take_if_plenty(disk_bytes(body_bytes))) return false;
  got(body_bytes);
  return true;
}

Result<SpaceAnswer> SpaceClaim::grow(std::uint64_t body_bytes, std::uint64_t least) {
  body_bytes = whole_blocks(body_bytes);
  least = whole_blocks(least);
  for (;;) {
    const auto answer = reserve_.take(disk_bytes(body_bytes));
    if (answer && answer->given) got(body_bytes);
    if (!answer || answer->given || body_bytes <= least) return as_seen_by_this(answer);
    body_bytes = std::max(least, whole_blocks(body_bytes / 8));
  }
}

/// What this upload itself was promised is no other's.
Result<SpaceAnswer> SpaceClaim::as_seen_by_this(Result<SpaceAnswer> answer) const {
  if (!answer || answer->given) return answer;
  const std::uint64_t own = left_bytes_.load(std::memory_order_relaxed);
  answer->promised_away = sum(answer->asked_bytes, own) <= reserve_.usable(answer->free_bytes);
  return answer;
}

std::uint64_t SpaceClaim::next_step() const { return std::clamp(body_bytes(), kStepBytesMin, kStepBytesMax); }

Result<void> SpaceClaim::reach(std::uint64_t until, std::optional<std::uint64_t> size) {
  const std::uint64_t had = body_bytes();
  if (until <= had) return {};
  const std::uint64_t least = std::max(until, size.value_or(0)) - had;
  const auto answer = grow(size ? least : std::max(least, next_step()), least);
  if (!answer) return answer.error();
  if (!answer->given) return Error{ErrorCode::kNoSpace, "no room beside --reserve-space"};
  return {};
}

void SpaceClaim::wrote(std::uint64_t bytes) {
  std::uint64_t left = left_bytes_.load(std::memory_order_relaxed);
  while (left > 0) {
    const std::uint64_t settled = std::min(left, bytes);
    if (!left_bytes_.compare_exchange_weak(left, left - settled, std::memory_order_relaxed)) continue;
    return reserve_.settle(settled);
  }
}

void SpaceClaim::end() {
  if (const std::uint64_t left = left_bytes_.exchange(0); left > 0) reserve_.settle(left);
}

std::uint64_t SpaceClaim::disk_bytes(std::uint64_t body_bytes) const { return body_bytes * copies_; }

void SpaceClaim::got(std::uint64_t body_bytes) {
  left_bytes_.fetch_add(disk_bytes(body_bytes), std::memory_order_relaxed);
  body_bytes_.fetch_add(body_bytes, std::memory_order_relaxed);
}

}  // namespace forklift
