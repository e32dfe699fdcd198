#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bench/load/endpoint.h"
#include "bench/load/outcome.h"
#include "bench/load/poller.h"
#include "bench/load/response_reader.h"
#include "common/unique_fd.h"

namespace forklift::load {

class Connection;

/// Who has connections: told what becomes of them. It may close the connection from within, and destroys it
/// later.
class ConnectionOwner {
 public:
  /// The request is through. Unless the outcome says `reusable`, the connection is of no more use.
  virtual void exchange_ended(Connection& connection, const Outcome& outcome) = 0;
  /// Connected, with nothing to ask.
  virtual void connected(Connection& connection) = 0;
  /// Gone while there was nothing to ask.
  virtual void lost(Connection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// What all connections of a run share. Outlives them.
struct Shared {
  Poller& poller;
  const Endpoint& endpoint;
  std::span<char> scratch;  // received bytes pass through here and are forgotten
  std::uint64_t bytes_read = 0;
};

/// One connection to the server, with at most one request at a time. Owned by its ConnectionOwner, on the one
/// thread.
class Connection final : public Pollable {
 public:
  static constexpr std::uint64_t kUnpaced = ~std::uint64_t{0};

  Connection(Shared& shared, ConnectionOwner& owner) : shared_(shared), owner_(owner) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to connect; false if it failed at once. `receive_buffer_bytes` 0: the system's.
  bool open(int receive_buffer_bytes = 0);

  /// Sends a request as soon as there is a connection. Only when it is not busy(). `body` outlives the
  /// exchange; `expected_bytes` < 0: any. Its end is told to the owner, never before this returns.
  void ask(const Arrival& arrival, std::string head, std::string_view body, std::int64_t expected_bytes);

  /// Paced: bytes that may be moved until this is called again. Never called: as many as the network takes.
  void allow(std::uint64_t bytes);

  void close();

  bool busy() const { return arrival_pending_; }
  bool open_now() const { return phase_ == Phase::kOpen; }
  bool closed() const { return phase_ == Phase::kClosed; }
  bool sent_any() const { return sent_bytes_ > 0; }
  const Arrival& arrival() const { return arrival_; }
  std::uint64_t moved_bytes() const { return moved_bytes_; }

  void ready(std::uint32_t events) override;

 private:
  enum class Phase : std::uint8_t { kClosed, kConnecting, kOpen };

  bool finish_connecting();
  void send_more();
  void receive_more();
  void server_closed(bool reset);
  void complete();
  void end_exchange(Outcome outcome);
  void spend(std::uint64_t bytes);
  bool sent_whole() const { return sent_bytes_ == head_.size() + body_.size(); }
  void watch();

  Shared& shared_;
  ConnectionOwner& owner_;
  UniqueFd fd_;
  Phase phase_ = Phase::kClosed;
  std::uint32_t watched_ = 0;
  ResponseReader reader_;
  Arrival arrival_;
  bool arrival_pending_ = false;
  std::string head_;
  std::string_view body_;
  std::int64_t expected_bytes_ = -1;
  std::uint64_t sent_bytes_ = 0;  // of this request
  bool send_failed_ = false;
  std::uint64_t budget_bytes_ = kUnpaced;
  std::uint64_t moved_bytes_ = 0;  // of all requests, both ways
};

}  // namespace forklift::load
