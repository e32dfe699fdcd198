#include <algorithm>
#include <string>
#include <utility>

#include "worker/http/connection.h"

namespace forklift {

namespace {

/// Promises end with their uploads, or where a client stands still for as long as it may.
constexpr const char* kRetrySoon = "Retry-After: 5\r\n";

}  // namespace

/// What fits in memory needs none: its sink asks, should that be spent.
void Connection::claim_space(Receive& receive) {
  SpaceReserve* space = services_.uploads.space;
  if (space == nullptr || exchange_.body_complete) return;
  const unsigned copies = receive.strategy->copies;
  const std::uint64_t memory = services_.uploads.spool->bytes_max();
  if (copies == 0 && parser_.head().content_length.value_or(0) <= memory) return;
  exchange_.claim = std::make_shared<SpaceClaim>(*space, std::max(copies, 1u));
  receive.target.claim = exchange_.claim;
}

/// So much more it must be promised for what is here; before anything is, for the first byte.
std::uint64_t Connection::space_lacking() const {
  if (!exchange_.claim) return 0;
  const std::uint64_t here = std::max<std::uint64_t>(exchange_.body_received, 1);
  const std::uint64_t needed = parser_.head().content_length.value_or(here);
  return needed - std::min(needed, exchange_.claim->body_bytes());
}

Flow Connection::reserve(std::uint64_t least) {
  const auto claim = exchange_.claim;
  std::uint64_t wanted = least;
  if (parser_.head().chunked) {
    wanted = std::max(least, claim->next_step());
  }
  if (claim->grow_if_plenty(wanted)) return begin_receiving();
  Resumer& resumer = *this;
  exchange_.reserving = std::make_unique<DiskCall<SpaceAnswer>>(
      services_.uploads.disk, resumer, [wanted, least, claim] { return claim->grow(wanted, least); });
  phase_ = Phase::kReserve;
  return Flow::kMore;
}

Flow Connection::step_reserve() {
  if (exchange_.refusal) return step_vacate();
  if (!exchange_.reserving->outcome()) return Flow::kWaitDisk;
  const auto answer = *std::exchange(exchange_.reserving, nullptr)->outcome();
  if (!answer) return fail(answer.error());
  return answer->given ? begin_receiving() : refuse_space(*answer);
}

Flow Connection::refuse_space(const SpaceAnswer& answer) {
  const auto length = parser_.head().content_length;
  std::string detail =
      length ? "This body of " + std::to_string(*length) + " bytes does" : "The rest of this body does";
  detail += " not fit: the disk has " + std::to_string(answer.free_bytes) + " bytes free, of which " +
            std::to_string(answer.promised_bytes) + " are promised to uploads under way and " +
            std::to_string(services_.uploads.space->reserved_bytes()) + " are kept free (--reserve-space). ";
  owner_.refused_space(answer, exchange_.request_id.view());
  if (!answer.promised_away) return vacate({507, "no-space", detail + "The disk is full.", {}});
  detail += "It would fit without what is promised: try again soon.";
  return vacate({507, "space-promised", std::move(detail), {}, kRetrySoon});
}

/// Who is refused may ask again at once, and must not find its own part in the way: it is told when that is
/// gone. All that shares the claim lets go of it on the loop thread, the disk pool's jobs when they are done.
Flow Connection::vacate(Problem&& problem) {
  exchange_.sink.reset();
  Resumer& resumer = *this;
  exchange_.refusal = std::make_shared<Refusal>(std::move(problem), resumer);
  exchange_.vacating = exchange_.claim;
  exchange_.claim->observe(exchange_.refusal);
  exchange_.claim.reset();
  phase_ = Phase::kReserve;
  return step_vacate();
}

Flow Connection::step_vacate() {
  if (!exchange_.vacating.expired()) return Flow::kWaitDisk;
  const auto refusal = std::exchange(exchange_.refusal, nullptr);
  return refuse(refusal->problem);
}

}  // namespace forklift
