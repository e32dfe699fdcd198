#include <ctime>
#include <utility>
#include <variant>

#include "worker/http/access_log.h"
#include "worker/http/connection.h"
#include "worker/http/prefer.h"
#include "worker/http/representation.h"

namespace forklift {

namespace {

/// What runs out for a moment (descriptors, memory) is back within about that.
constexpr int kRetryAfterS = 1;

}  // namespace

Flow Connection::step_head() {
  if (input_.empty()) {
    const Result<Flow> filled = fill_input();
    if (!filled) return Flow::kDone;
    if (*filled != Flow::kMore) return *filled;
  }
  const bool was_started = parser_.head_started();
  const RequestParser::Head fed = parser_.feed_head(input_.bytes());
  input_.drop_front(fed.consumed);
  if (!was_started && parser_.head_started()) phase_since_ = services_.loop.now();
  switch (fed.state) {
    case RequestParser::HeadState::kNeedMore:
      return Flow::kMore;
    case RequestParser::HeadState::kRefused:
      return refuse(parser_.refusal());
    case RequestParser::HeadState::kComplete:
      return begin_exchange();
  }
  return Flow::kDone;
}

Flow Connection::begin_exchange() {
  const RequestHead& head = parser_.head();
  first_request_ = false;
  body_waited_ = milliseconds(0);
  phase_since_ = services_.loop.now();
  exchange_.started = Clock::now();
  exchange_.request_id = services_.request_ids.of(head);
  exchange_.head_read = true;
  exchange_.http_minor = head.http_minor;
  exchange_.keep_alive = head.keep_alive;
  exchange_.head_only = head.method == Method::kHead;
  exchange_.body_left = head.content_length.value_or(0);
  exchange_.body_complete = !head.has_body();
  return std::visit([this](auto&& decision) { return decide(std::move(decision)); },
                    services_.router.route(head));
}

Flow Connection::decide(Answer&& answer) {
  return reply({.status = answer.status,
                .content_type = answer.content_type,
                .content_length = answer.body.size(),
                .allow = answer.allow},
               answer.body);
}

Flow Connection::decide(Problem&& problem) { return refuse(problem); }

Flow Connection::refuse(const Problem& problem) {
  // A refused head has no exchange yet, and nothing behind it can be trusted.
  if (exchange_.started == TimePoint()) {
    exchange_.started = Clock::now();
    exchange_.request_id = services_.request_ids.next();
    exchange_.keep_alive = false;
  }
  exchange_.sink.reset();
  exchange_.source.reset();
  exchange_.claim.reset();
  exchange_.decoded = Chunk();
  const std::string body = problem_json(problem, exchange_.request_id.view());
  return reply({.status = problem.status,
                .content_type = "application/problem+json",
                .content_length = body.size(),
                .allow = problem.allow,
                .retry_after_s = problem.status == 503 ? kRetryAfterS : 0,
                .etag = problem.etag,
                .fields = problem.fields},
               body);
}

Flow Connection::reply_stored() {
  const Stored& stored = exchange_.sink->stored();
  const std::string_view asked = std::exchange(exchange_.strategy, strategy_of(stored, exchange_.strategy));
  ResponseHead head;
  head.strategy = exchange_.strategy;
  head.durability = durability_text(stored);
  if (!stored.ephemeral) head.preference_applied = preference_applied(exchange_.prefer, stored.durability);
  const std::string etag = etag_of(stored.version);
  if (exchange_.style == StoredStyle::kPut && stored.replaced) {
    head.status = 204;
    head.etag = etag;
    return reply(head, {});
  }
  const FormContent* form = exchange_.sink->form();
  const std::string body = form == nullptr ? stored_json(stored, asked) : form_json(*form, asked);
  head.content_type = "application/json";
  head.content_length = body.size();
  if (exchange_.style == StoredStyle::kArticle) return reply(head, body);
  const std::string location = location_of(stored.file_path);
  head.status = 201;
  head.location = location;
  head.etag = etag;
  return reply(head, body);
}

Flow Connection::reply(ResponseHead head, std::string_view body) {
  // What of the request was not read would be taken for the next one.
  exchange_.keep_alive = exchange_.keep_alive && exchange_.body_complete && !owner_.draining();
  exchange_.status = head.status;
  head.keep_alive = exchange_.keep_alive;
  head.request_id = exchange_.request_id.view();
  head.http_minor = exchange_.http_minor;
  output_.clear();
  output_sent_ = 0;
  append_head(output_, head, services_.dates.text(std::time(nullptr)));
  if (!exchange_.head_only) {
    output_ += body;
    exchange_.sent = body.size();
  }
  phase_ = Phase::kReply;
  phase_since_ = services_.loop.now();
  return Flow::kMore;
}

void Connection::account() {
  Scoreboard& scoreboard = services_.scoreboard;
  add(scoreboard.requests, 1);
  add(scoreboard.answers[static_cast<std::size_t>(exchange_.status / 100)], 1);
  if (services_.access_log != nullptr) log_access();
}

void Connection::log_access() {
  AccessEntry entry{
      .peer = peer_,
      .http_minor = exchange_.http_minor,
      .status = exchange_.status,
      .body_bytes = exchange_.sent,
      .duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - exchange_.started),
      .request_id = exchange_.request_id.view(),
      .strategy = exchange_.strategy,
      .now = std::time(nullptr)};
  if (exchange_.head_read) {
    const RequestHead& head = parser_.head();
    entry.method = head.method_name;
    entry.target = head.target;
    entry.referer = head.field("Referer");
    entry.user_agent = head.field("User-Agent");
  }
  services_.access_log->add(entry);
}

Flow Connection::end_exchange() {
  account();
  const bool keep_alive = exchange_.keep_alive;
  exchange_ = Exchange{};
  phase_since_ = services_.loop.now();
  if (!keep_alive) {
    socket_.shut_down_sending();
    input_ = Chunk();
    set_aside_.clear();
    phase_ = Phase::kLinger;
    return Flow::kMore;
  }
  parser_.next_request();
  phase_ = Phase::kHead;
  // The next request is rarely here already: waiting for it is cheaper than asking.
  return input_waits() ? Flow::kMore : Flow::kWaitReadable;
}

}  // namespace forklift
