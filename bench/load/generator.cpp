#include "bench/load/generator.h"

#include <sys/resource.h>

#include <algorithm>

namespace forklift::load {
namespace {

// From the making of the first connections to the beginning of the load.
constexpr milliseconds kTimeToConnect{100};

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace

Generator::Generator(const Options& options, const Request& request, Shared& shared)
    : options_(options),
      request_(request),
      shared_(shared),
      arrivals_(options.arrivals, options.rate, options.seed),
      begin_(Clock::now() + (options.connections_at_start > 0 ? kTimeToConnect : milliseconds(0))),
      tally_(begin_ + options.warm_up, begin_ + options.warm_up + options.duration),
      slow_(options, request, shared, tally_.slow),
      check_every_(std::clamp<nanoseconds>(options.timeout / 10, milliseconds(1), milliseconds(100))),
      next_check_(begin_ + check_every_) {}

Result<void> Generator::run() {
  for (std::size_t count = 0; count < options_.connections_at_start; ++count) open_connection();
  while (!over()) {
    const TimePoint now = Clock::now();
    start_due(now);
    slow_.move(now);
    give_up_late(now);
    if (auto waited = shared_.poller.wait(next_wake() - Clock::now()); !waited) return waited;
    dropped_.clear();
  }
  finish_measuring();
  return {};
}

TimePoint Generator::next_wake() const {
  const TimePoint next = schedule_over() ? next_check_ : std::min(begin_ + arrivals_.next(), next_check_);
  return std::min(next, slow_.next_move());
}

void Generator::start_due(TimePoint now) {
  while (!schedule_over() && begin_ + arrivals_.next() <= now) {
    const Arrival arrival{number_++, begin_ + arrivals_.next(), arrivals_.next() >= options_.warm_up};
    if (arrival.measured && !measuring_) begin_measuring();
    tally_.due(arrival, Clock::now());
    ++outstanding_;
    queue_.push_back(arrival);
    serve_queue();
    arrivals_.advance();
  }
  tally_.queue = std::max<std::uint64_t>(tally_.queue, queue_.size());
}

void Generator::begin_measuring() {
  measuring_ = true;
  cpu_s_before_ = cpu_seconds();
  bytes_read_before_ = shared_.bytes_read;
}

void Generator::finish_measuring() {
  tally_.cpu_s = cpu_seconds() - cpu_s_before_;
  tally_.bytes_read = shared_.bytes_read - bytes_read_before_;
  slow_.count();
}

void Generator::serve_queue() {
  while (!queue_.empty() && (!idle_.empty() || pool_.size() < options_.connections_max)) {
    const Arrival arrival = queue_.front();
    queue_.pop_front();
    Connection* connection = idle_.empty() ? open_connection() : idle_.front();
    if (connection == nullptr) {
      --outstanding_;
      tally_.ended(arrival, {.kind = Outcome::Kind::kConnect}, false, Clock::now());
      continue;
    }
    if (!idle_.empty()) idle_.pop_front();
    connection->ask(arrival, request_.head(arrival.number), request_.body(), options_.expected_bytes());
  }
}

Connection* Generator::open_connection() {
  auto made = std::make_unique<Connection>(shared_, *this);
  if (!made->open()) return nullptr;
  Connection* connection = made.get();
  pool_.emplace(connection, std::move(made));
  tally_.connections = std::max<std::uint64_t>(tally_.connections, pool_.size());
  return connection;
}

void Generator::drop(Connection& connection) {
  connection.close();
  const auto found = pool_.find(&connection);
  dropped_.push_back(std::move(found->second));
  pool_.erase(found);
}

void Generator::exchange_ended(Connection& connection, const Outcome& outcome) {
  --outstanding_;
  tally_.ended(connection.arrival(), outcome, connection.sent_any(), Clock::now());
  if (outcome.reusable && !options_.one_shot) {
    idle_.push_back(&connection);
  } else {
    drop(connection);
  }
  serve_queue();
}

void Generator::connected(Connection& connection) {
  idle_.push_back(&connection);
  serve_queue();
}

void Generator::lost(Connection& connection) {
  std::erase(idle_, &connection);
  drop(connection);
  serve_queue();
}

void Generator::give_up_late(TimePoint now) {
  if (now < next_check_) return;
  next_check_ = now + check_every_;
  std::vector<Connection*> late;
  for (const auto& [connection, owned] : pool_) {
    if (connection->busy() && connection->arrival().intended + options_.timeout <= now)
      late.push_back(connection);
  }
  for (Connection* connection : late) exchange_ended(*connection, {.kind = Outcome::Kind::kTimeout});
  while (!queue_.empty() && queue_.front().intended + options_.timeout <= now) {
    --outstanding_;
    tally_.ended(queue_.front(), {.kind = Outcome::Kind::kTimeout}, false, Clock::now());
    queue_.pop_front();
  }
}

}  // namespace forklift::load
