#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "worker/http/connection.h"
#include "worker/loop/timer.h"

namespace forklift {

/// Told when the last connection of a draining table is gone.
class DrainListener {
 public:
  virtual void drained() = 0;

 protected:
  ~DrainListener() = default;
};

/// How many transfers a drain or a stop ended before their end.
struct CutTransfers {
  std::size_t slow = 0;     // below Config::drain_rate_min
  std::size_t running = 0;  // when the time was over
};

/// Owns every connection of a worker. Destroys the retired ones at the end of the loop turn, and looks at
/// everybody's deadlines a few times a second as long as there is anybody. Loop thread only.
class ConnectionTable final : public ConnectionOwner, private TimerListener {
 public:
  explicit ConnectionTable(const ConnectionServices& services);
  ~ConnectionTable();

  void add(UniqueFd fd);
  std::size_t size() const { return open_.size(); }

  /// From now on answers close their connections. Idle ones wait for one more request as long as they would
  /// have anyhow (Config::keep_alive): their clients count on it while siblings serve. Where the service
  /// ends (`last`) they are given a moment for the request that may be on its way. `listener` hears when all
  /// are gone, at once if there are none.
  void drain(DrainListener& listener, bool last);

  /// Takes a drain back, for what has not been closed yet.
  void cancel_drain();

  /// Ends everything now.
  void abandon_all();

  /// Since the drain began.
  CutTransfers cut() const { return cut_; }

  /// To be called at the end of every loop turn. Says whether any were.
  bool destroy_retired();

  void retire(Connection& connection) override;
  bool draining() const override { return drain_listener_ != nullptr; }
  void failed(const Error& error, std::string_view request_id) override;
  void refused_space(const SpaceAnswer& answer, std::string_view request_id) override;

 private:
  void timer_due() override;

  const ConnectionServices& services_;
  std::vector<std::unique_ptr<Connection>> open_;
  std::vector<std::unique_ptr<Connection>> retired_;
  DrainListener* drain_listener_ = nullptr;
  TimePoint draining_since_;
  bool last_ = false;
  CutTransfers cut_;
  /// Of lines that are all alike one is enough for a while.
  struct Seldom {
    TimePoint logged_at{};
    std::uint64_t unlogged = 0;

    /// How many there were since the last line, with this one; 0: no line now.
    std::uint64_t due(TimePoint now);
  };

  Seldom failures_;
  Seldom space_refusals_;
  Timer deadlines_;
};

}  // namespace forklift
