#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/load/connection.h"
#include "bench/load/options.h"
#include "bench/load/request.h"
#include "bench/load/tally.h"

namespace forklift::load {

/// Connections that send and read so many bytes a second, all the time, one request after the other. Their
/// latency means nothing and is not counted; what they do to the others is. A connection that ends is made
/// anew.
class SlowClients final : public ConnectionOwner {
 public:
  SlowClients(const Options& options, const Request& request, Shared& shared, Tally::Slow& tally);

  /// Gives those their bytes whose turn it is; they take turns, so that their work is never all at once.
  void move(TimePoint now);

  /// When move() is to be called again.
  TimePoint next_move() const { return next_; }

  /// Brings the tally up to date.
  void count();

  void exchange_ended(Connection& connection, const Outcome& outcome) override;
  void connected(Connection&) override {}
  void lost(Connection& connection) override { connection.close(); }

 private:
  void ask(Connection& connection);

  const Request& request_;
  Tally::Slow& tally_;
  std::int64_t expected_bytes_;
  nanoseconds period_;  // between two portions of one client
  std::uint64_t portion_bytes_;
  std::vector<std::unique_ptr<Connection>> clients_;
  std::size_t turn_ = 0;
  TimePoint next_;
  std::uint64_t number_;
};

}  // namespace forklift::load
