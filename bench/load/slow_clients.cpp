#include "bench/load/slow_clients.h"

#include <algorithm>
#include <cmath>

namespace forklift::load {
namespace {

constexpr double kPeriodS = 0.1;
constexpr int kTurns = 20;
constexpr int kReceiveBufferBytes = 16 * 1024;  // else the kernel reads fast what the client reads slowly
constexpr std::uint64_t kFirstNumber = std::uint64_t{1} << 40;  // far from those of the measured requests

}  // namespace

SlowClients::SlowClients(const Options& options, const Request& request, Shared& shared, Tally::Slow& tally)
    : request_(request),
      tally_(tally),
      expected_bytes_(options.expected_bytes()),
      next_(options.slow_clients > 0 ? Clock::now() : TimePoint::max()),
      number_(kFirstNumber) {
  const double period_s = std::max(kPeriodS, 1 / options.slow_bytes_per_s);
  period_ = nanoseconds(static_cast<std::int64_t>(period_s * 1e9));
  portion_bytes_ = static_cast<std::uint64_t>(std::llround(options.slow_bytes_per_s * period_s));
  tally_.clients = options.slow_clients;
  clients_.reserve(options.slow_clients);
  for (std::size_t count = 0; count < options.slow_clients; ++count) {
    clients_.push_back(std::make_unique<Connection>(shared, *this));
  }
}

void SlowClients::move(TimePoint now) {
  if (now < next_) return;
  for (std::size_t index = turn_; index < clients_.size(); index += std::size_t{kTurns}) {
    Connection& client = *clients_[index];
    if (client.closed()) {
      if (!client.open(kReceiveBufferBytes)) {
        tally_.fates.add({.kind = Outcome::Kind::kConnect});
        continue;
      }
      ask(client);
    }
    client.allow(portion_bytes_);
  }
  turn_ = (turn_ + 1) % std::size_t{kTurns};
  next_ = std::max(next_ + period_ / kTurns, now);
}

void SlowClients::ask(Connection& connection) {
  connection.ask({.number = number_, .intended = {}, .measured = false}, request_.head(number_),
                 request_.body(), expected_bytes_);
  ++number_;
}

void SlowClients::exchange_ended(Connection& connection, const Outcome& outcome) {
  tally_.fates.add(outcome);
  if (outcome.reusable) return ask(connection);
  connection.close();
}

void SlowClients::count() {
  tally_.open = tally_.bytes = 0;
  for (const auto& client : clients_) {
    tally_.open += client->open_now() ? 1 : 0;
    tally_.bytes += client->moved_bytes();
  }
}

}  // namespace forklift::load
