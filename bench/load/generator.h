#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bench/load/arrivals.h"
#include "bench/load/connection.h"
#include "bench/load/options.h"
#include "bench/load/request.h"
#include "bench/load/slow_clients.h"
#include "bench/load/tally.h"

namespace forklift::load {

/// The open loop: starts each request when the schedule says so, on an idle connection, else on a new one,
/// else as soon as one is free. One thread, one run. The wait for a connection is part of the latency.
class Generator final : public ConnectionOwner {
 public:
  Generator(const Options& options, const Request& request, Shared& shared);

  /// Runs to the last answer or its timeout. An error is one of this machine's, never the server's.
  Result<void> run();

  const Tally& tally() const { return tally_; }

  void exchange_ended(Connection& connection, const Outcome& outcome) override;
  void connected(Connection& connection) override;
  void lost(Connection& connection) override;

 private:
  void start_due(TimePoint now);
  void begin_measuring();
  void finish_measuring();
  void serve_queue();
  void give_up_late(TimePoint now);
  Connection* open_connection();
  void drop(Connection& connection);
  bool schedule_over() const { return arrivals_.next() >= options_.warm_up + options_.duration; }
  bool over() const { return schedule_over() && outstanding_ == 0; }
  TimePoint next_wake() const;

  const Options& options_;
  const Request& request_;
  Shared& shared_;
  Arrivals arrivals_;
  TimePoint begin_;
  Tally tally_;
  SlowClients slow_;
  std::uint64_t number_ = 0;
  std::uint64_t outstanding_ = 0;  // due, but not through
  bool measuring_ = false;
  double cpu_s_before_ = 0;
  std::uint64_t bytes_read_before_ = 0;
  std::deque<Arrival> queue_;  // due, but without a connection
  std::unordered_map<Connection*, std::unique_ptr<Connection>> pool_;
  std::deque<Connection*> idle_;  // those that rested longest are first: all are used in turns
  std::vector<std::unique_ptr<Connection>> dropped_;  // events of this turn may still name them
  nanoseconds check_every_;
  TimePoint next_check_;
};

}  // namespace forklift::load
