#include "worker/http/connection_table.h"

#include <utility>

#include "common/errno_error.h"
#include "common/log.h"

namespace forklift {

namespace {

constexpr milliseconds kDeadlineCheckEvery{250};

/// A client's next request may be on the wire when the service ends: closing at once would lose it.
constexpr milliseconds kIdleAtTheEnd{1000};

/// A full disk fails every request; the log needs to hear it now and then.
constexpr seconds kFailureLoggedEvery{1};

/// Who says nothing while others wait to be let in goes first.
constexpr milliseconds kIdleWhileFull{2000};

}  // namespace

ConnectionTable::ConnectionTable(const ConnectionServices& services)
    : services_(services), deadlines_(services.loop, *this, false) {}

ConnectionTable::~ConnectionTable() {
  abandon_all();
  destroy_retired();
}

void ConnectionTable::add(UniqueFd fd) {
  auto connection = std::make_unique<Connection>(services_, *this, std::move(fd));
  connection->table_index = open_.size();
  open_.push_back(std::move(connection));
  if (!deadlines_.running()) deadlines_.start(kDeadlineCheckEvery);
  services_.scoreboard.connections.store(open_.size(), std::memory_order_relaxed);
  forklift::add(services_.scoreboard.accepted, 1);
  open_.back()->start();
}

void ConnectionTable::retire(Connection& connection) {
  const std::size_t index = connection.table_index;
  retired_.push_back(std::move(open_[index]));
  if (index + 1 != open_.size()) {
    open_[index] = std::move(open_.back());
    open_[index]->table_index = index;
  }
  open_.pop_back();
  services_.scoreboard.connections.store(open_.size(), std::memory_order_relaxed);
}

bool ConnectionTable::destroy_retired() {
  if (retired_.empty()) return false;
  retired_.clear();
  if (open_.empty()) {
    deadlines_.stop();
    if (drain_listener_ != nullptr) drain_listener_->drained();
  }
  return true;
}

void ConnectionTable::drain(DrainListener& listener, bool last) {
  const bool known = draining() && (last_ || !last);
  if (known) return;
  last_ = last;
  drain_listener_ = &listener;
  draining_since_ = services_.loop.now();
  if (open_.empty() && retired_.empty()) listener.drained();
}

void ConnectionTable::cancel_drain() {
  drain_listener_ = nullptr;
  last_ = false;
  cut_ = {};
}

void ConnectionTable::abandon_all() {
  while (!open_.empty()) {
    if (open_.back()->transfers()) ++cut_.running;
    open_.back()->abandon();
  }
}

std::uint64_t ConnectionTable::Seldom::due(TimePoint now) {
  ++unlogged;
  if (now - logged_at < kFailureLoggedEvery) return 0;
  logged_at = now;
  return std::exchange(unlogged, 0);
}

void ConnectionTable::failed(const Error& error, std::string_view request_id) {
  const std::uint64_t count = failures_.due(services_.loop.now());
  if (count == 0) return;
  log::error("request ", request_id, " failed: ", sentence_of(error), " (", count,
             " failed since the last such line)");
}

void ConnectionTable::refused_space(const SpaceAnswer& answer, std::string_view request_id) {
  const std::uint64_t count = space_refusals_.due(services_.loop.now());
  if (count == 0) return;
  log::warning("request ", request_id, " found no room beside --reserve-space: it asked for ",
               answer.asked_bytes, " bytes, ", answer.free_bytes, " are free, ", answer.promised_bytes,
               " of them promised to uploads under way (", count, " refused since the last such line)");
}

void ConnectionTable::timer_due() {
  const TimePoint now = services_.loop.now();
  const bool full = open_.size() >= services_.config.limits.connections_max;
  const bool close_idle = draining() && last_ && now - draining_since_ > kIdleAtTheEnd;
  // Backwards: retiring one moves the last into its place, and that one has been looked at.
  for (std::size_t index = open_.size(); index-- > 0;) {
    Connection& connection = *open_[index];
    const bool in_the_way = close_idle || (full && connection.idle_for(now) > kIdleWhileFull);
    if (in_the_way && connection.idle()) {
      connection.abandon();
    } else {
      connection.check_deadlines(now);
      if (draining() && connection.check_drain(now)) ++cut_.slow;
    }
  }
}

}  // namespace forklift
