#include "worker/http/connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace forklift {

namespace {

/// How long a closing connection may take to let the client read the last answer, and how long it may be
/// silent meanwhile.
constexpr seconds kLingerMax{30};
constexpr seconds kLingerIdleMax{2};

/// What a client may have sent behind a request whose answer it is slow to read, when slabs are short.
constexpr std::size_t kSetAsideBytesMax = 16 * 1024;

/// A body's rate is judged once its client was waited for this long.
constexpr seconds kRateJudgedAfter{10};

/// Who has stopped sending and waits for a listing may be there, or may be gone: a page takes a part of that,
/// unless many wait or a directory is very big.
constexpr seconds kListHalfClosedMax{2};

/// In the order of Connection::Phase.
constexpr const char* kPhaseNames[] = {"head", "continue", "reserve", "receive", "finish", "judge", "remove",
                                       "list", "open",     "digest",  "reply",   "send",   "linger"};

/// In the order of Flow.
constexpr const char* kWaitNames[] = {"its next turn", "the client's bytes", "the client to read", "the disk",
                                      "nothing"};

}  // namespace

Connection::Connection(const ConnectionServices& services, ConnectionOwner& owner, UniqueFd fd)
    : services_(services),
      owner_(owner),
      socket_(services.loop, std::move(fd), *this),
      parser_(services.config.limits),
      activity_(services.activities),
      peer_(services.access_log == nullptr ? std::string() : socket_.peer_address()),
      phase_since_(services.loop.now()),
      progress_at_(phase_since_) {}

Connection::~Connection() { services_.uploads.slabs.forget(*this); }

void Connection::start() { park(Flow::kWaitReadable); }

void Connection::run() {
  if (retired_) return;
  if (waits_for_ == Flow::kWaitReadable && phase_ == Phase::kReceive) {
    body_waited_ += std::chrono::duration_cast<milliseconds>(services_.loop.now() - progress_at_);
  }
  moved_this_turn_ = 0;
  show(nullptr);
  Flow flow = Flow::kMore;
  while (flow == Flow::kMore && moved_this_turn_ < kBytesPerTurn) flow = step();
  if (flow == Flow::kWaitDisk && waits_for_memory() != nullptr) {
    flow = wait_for_memory();
  } else {
    memory_since_ = TimePoint();
  }
  park(flow);
}

Flow Connection::step() {
  switch (phase_) {
    case Phase::kHead:
      return step_head();
    case Phase::kContinue:
      return step_continue();
    case Phase::kReserve:
      return step_reserve();
    case Phase::kReceive:
      return step_receive();
    case Phase::kFinish:
      return step_finish();
    case Phase::kJudge:
      return step_judge();
    case Phase::kList:
      return step_list();
    case Phase::kRemove:
      return step_remove();
    case Phase::kOpen:
      return step_open();
    case Phase::kDigest:
      return step_digest();
    case Phase::kReply:
      return step_reply();
    case Phase::kSend:
      return step_send();
    case Phase::kLinger:
      return step_linger();
  }
  return Flow::kDone;
}

void Connection::show(const char* waits_for) {
  activity_.set(kPhaseNames[static_cast<std::size_t>(phase_)], waits_for, exchange_.strategy,
                exchange_.body_received, exchange_.sent);
}

void Connection::park(Flow flow) {
  waits_for_ = flow;
  show(kWaitNames[static_cast<std::size_t>(flow)]);
  progress_at_ = services_.loop.now();
  if (flow != Flow::kMore && (phase_ == Phase::kReply || phase_ == Phase::kSend)) set_input_aside(false);
  switch (flow) {
    case Flow::kMore:  // used its share of the turn
      services_.loop.defer(*this);
      socket_.want(Interest::kNone);
      return;
    case Flow::kWaitReadable:
      socket_.want(Interest::kRead);
      return;
    case Flow::kWaitWritable:
      socket_.want(Interest::kWrite);
      return;
    case Flow::kWaitDisk:
      socket_.want(minds_hang_up() && !half_closed_ ? Interest::kHangUp : Interest::kNone);
      return;
    case Flow::kDone:
      abandon();
      return;
  }
}

/// Whoever waits for its client, or for memory, must not keep a slab from the others meanwhile. False where
/// `needed` is true, of the request at hand, and there is too much to be kept elsewhere.
bool Connection::set_input_aside(bool needed) {
  if (input_.empty() || services_.uploads.slabs.plentiful()) return true;
  if (input_.size() <= kSetAsideBytesMax) {
    const auto bytes = input_.bytes();
    set_aside_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } else if (needed) {
    return false;
  } else {
    exchange_.keep_alive = false;  // RFC 9112, 9.3.2: who pipelines must be ready to ask again
  }
  input_ = Chunk();
  return true;
}

void Connection::abandon() {
  if (retired_) return;
  retired_ = true;
  if (exchange_.started != TimePoint()) account();
  socket_.want(Interest::kNone);
  exchange_ = Exchange{};
  input_ = Chunk();
  owner_.retire(*this);
}

Flow Connection::flush_output(bool more_follows) {
  while (output_sent_ < output_.size()) {
    const auto left = std::as_bytes(std::span(output_)).subspan(output_sent_);
    const Result<Io> io = socket_.send(left, more_follows);
    if (!io) return Flow::kDone;
    if (io->state != Io::State::kMoved) return Flow::kWaitWritable;
    output_sent_ += io->bytes;
    moved(io->bytes);
    add(services_.scoreboard.bytes_sent, io->bytes);
  }
  output_.clear();
  output_sent_ = 0;
  return Flow::kMore;
}

Result<Flow> Connection::fill_input() {
  SlabRef slab = services_.uploads.slabs.acquire(*this);
  if (!slab) return Flow::kWaitDisk;
  if (!set_aside_.empty()) {
    std::memcpy(slab.data(), set_aside_.data(), set_aside_.size());
    input_ = Chunk(std::move(slab), 0, set_aside_.size());
    std::string().swap(set_aside_);
    return Flow::kMore;
  }
  const Result<Io> io = socket_.receive({slab.data(), kSlabBytes});
  if (!io) return io.error();
  if (io->state == Io::State::kWouldBlock) return Flow::kWaitReadable;
  if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
  input_ = Chunk(std::move(slab), 0, io->bytes);
  moved(io->bytes);
  add(services_.scoreboard.bytes_received, io->bytes);
  return Flow::kMore;
}

Flow Connection::fail(const Error& error) {
  // Who only stopped sending can still be told.
  const bool half_closed = error.os_error == 0 && phase_ == Phase::kReceive;
  if (error.code == ErrorCode::kPeerGone && !half_closed) return Flow::kDone;
  const Problem problem = problem_of(error);
  if (problem.status >= 500) owner_.failed(error, exchange_.request_id.view());
  return refuse(problem);
}

void Connection::moved(std::uint64_t bytes) {
  moved_this_turn_ += bytes;
  moved_bytes_ += bytes;
}

/// Over all its time, and again each time its client was waited for as long as it may stand still: what came
/// fast at first must not be held for ever by what trickles later.
bool Connection::too_slow(TimePoint now) {
  const Config& config = services_.config;
  if (now - progress_at_ > config.stall_timeout) return true;
  const auto due = [&config](milliseconds time) {
    return config.body_rate_min * static_cast<std::uint64_t>(time.count()) / 1000;
  };
  const auto waited = body_waited_ + std::chrono::duration_cast<milliseconds>(now - progress_at_);
  if (waited < kRateJudgedAfter) return false;
  if (exchange_.body_received < due(waited)) return true;
  const auto lately = waited - exchange_.judged_at;
  if (lately < config.stall_timeout) return false;
  if (exchange_.body_received - exchange_.judged_bytes < due(lately)) return true;
  exchange_.judged_at = waited;
  exchange_.judged_bytes = exchange_.body_received;
  return false;
}

void Connection::check_deadlines(TimePoint now) {
  const Config& config = services_.config;
  if (retired_) return;
  if (memory_since_ != TimePoint()) {
    if (now - memory_since_ > config.stall_timeout) park(give_up_waiting());
    return;
  }
  const auto in_phase = now - phase_since_;
  if (phase_ == Phase::kList && half_closed_ && in_phase > kListHalfClosedMax) return abandon();
  if (waits_for_ != Flow::kWaitReadable && waits_for_ != Flow::kWaitWritable) return;
  switch (phase_) {
    case Phase::kHead:
      if (first_request_ || parser_.head_started()) {
        if (in_phase <= config.header_timeout) return;
      } else if (in_phase <= config.keep_alive) {
        return;
      }
      if (!parser_.head_started()) return abandon();
      return park(refuse({408, "head-too-slow", "The request head did not arrive in time.", {}}));
    case Phase::kReceive:
      if (!too_slow(now)) return;
      return park(refuse({408, "body-too-slow", "The request body stood still or came too slowly.", {}}));
    case Phase::kLinger:
      if (in_phase > kLingerMax || now - progress_at_ > kLingerIdleMax) abandon();
      return;
    default:
      if (now - progress_at_ > config.stall_timeout) abandon();
  }
}

bool Connection::check_drain(TimePoint now) {
  if (retired_ || !transfers()) return false;
  const milliseconds window = services_.config.drain_idle_timeout;
  const bool for_client = waits_for_ == Flow::kWaitReadable || waits_for_ == Flow::kWaitWritable;
  if (for_client && drain_judged_at_ != TimePoint()) {
    if (now - drain_judged_at_ < window) return false;
    const auto due = services_.config.drain_rate_min * static_cast<std::uint64_t>(window.count()) / 1000;
    if (moved_bytes_ - drain_judged_bytes_ < std::max<std::uint64_t>(due, 1)) {
      abandon();
      return true;
    }
  }
  // The time that the disk took is nobody's fault: the window begins anew.
  drain_judged_at_ = now;
  drain_judged_bytes_ = moved_bytes_;
  return false;
}

}  // namespace forklift
