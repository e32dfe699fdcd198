#include <algorithm>
#include <utility>

#include "worker/http/connection.h"
#include "worker/http/content_coding.h"
#include "worker/http/digest_fields.h"
#include "worker/http/joined_field.h"
#include "worker/http/prefer.h"
#include "worker/upload/digest_sink.h"
#include "worker/upload/form.h"
#include "worker/upload/keep.h"

namespace forklift {

namespace {

Problem body_too_large(std::uint64_t bytes_max, std::string_view option) {
  return {413,
          "body-too-large",
          "The request body is larger than the " + std::to_string(bytes_max) + " bytes this server takes (" +
              std::string(option) + ").",
          {}};
}

/// To be stored, and sent to others without its coding, the body would have to be decoded.
Problem content_coded() {
  return {415,
          "content-coding",
          "This server stores bodies as they are and decodes none: send it without Content-Encoding.",
          {},
          "Accept-Encoding: identity\r\n"};
}

}  // namespace

Flow Connection::step_continue() {
  const Flow flow = flush_output(false);
  if (flow == Flow::kMore) phase_ = Phase::kReceive;
  return flow;
}

Flow Connection::step_receive() {
  if (exchange_.sink_paused) {
    const Result<Flow> asked = exchange_.sink->write(Chunk());
    if (!asked) return fail(asked.error());
    if (*asked == Flow::kWaitDisk) return *asked;
    exchange_.sink_paused = false;
  }
  if (exchange_.body_complete && exchange_.decoded.empty()) {
    phase_ = Phase::kFinish;
    return Flow::kMore;
  }
  const Flow flow = parser_.head().chunked ? receive_chunked() : receive_counted();
  exchange_.sink_paused = flow == Flow::kWaitDisk;
  return flow;
}

Flow Connection::receive_counted() {
  if (input_.empty() && !set_aside_.empty()) {
    const Result<Flow> filled = fill_input();
    if (!filled) return fail(filled.error());
    if (*filled != Flow::kMore) return *filled;
  }
  std::uint64_t bytes = 0;
  Flow flow = Flow::kMore;
  if (!input_.empty()) {
    bytes = std::min<std::uint64_t>(exchange_.body_left, input_.size());
    const Result<Flow> written = exchange_.sink->write(input_.take_front(static_cast<std::size_t>(bytes)));
    if (!written) return fail(written.error());
    flow = *written;
  } else {
    const Result<Step> received = exchange_.sink->receive(socket_, exchange_.body_left);
    if (!received) return fail(received.error());
    bytes = received->bytes;
    flow = received->flow;
    moved(bytes);
    add(services_.scoreboard.bytes_received, bytes);
  }
  exchange_.body_left -= bytes;
  exchange_.body_received += bytes;
  exchange_.body_complete = exchange_.body_left == 0;
  return exchange_.body_complete ? Flow::kMore : flow;
}

Flow Connection::receive_chunked() {
  if (exchange_.decoded.empty()) {
    const Flow flow = decode_chunked();
    if (flow != Flow::kMore || exchange_.decoded.empty()) return flow;
  }
  if (const std::uint64_t lacking = space_lacking(); lacking > 0) return reserve(lacking);
  const Result<Flow> written = exchange_.sink->write(std::exchange(exchange_.decoded, Chunk()));
  if (!written) return fail(written.error());
  return exchange_.body_complete ? Flow::kMore : *written;
}

Flow Connection::decode_chunked() {
  if (input_.empty()) {
    const Result<Flow> filled = fill_input();
    if (!filled) return fail(filled.error());
    if (*filled != Flow::kMore) return *filled;
  }
  const auto decoded = parser_.decode_chunked(input_.mutable_bytes());
  if (!decoded) return refuse(decoded.error());
  Chunk body = input_.slice(decoded->offset, decoded->size);
  input_.drop_front(decoded->consumed);
  exchange_.body_received += body.size();
  exchange_.body_complete = decoded->complete;
  if (exchange_.body_received > services_.config.limits.body_bytes_max) {
    exchange_.body_complete = false;
    return refuse(body_too_large(services_.config.limits.body_bytes_max, "--limit-body"));
  }
  if (!body.empty()) exchange_.decoded = std::move(body);
  return Flow::kMore;
}

std::unique_ptr<BodySink> Connection::make_sink(Receive&& receive) {
  if (receive.digests.empty()) return make_plain_sink(std::move(receive));
  auto digests = std::move(receive.digests);
  return make_digest_sink(services_.uploads, *this, make_plain_sink(std::move(receive)), std::move(digests));
}

std::unique_ptr<BodySink> Connection::make_plain_sink(Receive&& receive) {
  const auto size = parser_.head().content_length;
  switch (receive.format) {
    case BodyFormat::kForm:
      return make_form_sink(services_.uploads, *this, std::move(receive.target), *receive.strategy,
                            std::move(receive.boundary));
    case BodyFormat::kJson:
      return make_json_sink(services_.uploads, *this, std::move(receive.target), *receive.strategy, size);
    case BodyFormat::kRaw:
      break;
  }
  return receive.strategy->make(services_.uploads, *this, std::move(receive.target), size);
}

Flow Connection::decide(Receive&& receive) {
  const RequestHead& head = parser_.head();
  const Limits& limits = services_.config.limits;
  const std::uint64_t size = head.content_length.value_or(0);
  if (size > limits.body_bytes_max) return refuse(body_too_large(limits.body_bytes_max, "--limit-body"));
  if (receive.format == BodyFormat::kJson && size > limits.json_bytes_max) {
    return refuse(body_too_large(limits.json_bytes_max, "--json-limit"));
  }
  if (has_content_coding(head)) return refuse(content_coded());
  auto claimed = claimed_digests(head);
  if (!claimed) return refuse(claimed.error());
  receive.digests = *std::move(claimed);
  if (!receive.digests.empty()) receive.strategy = &seeing_bytes(*receive.strategy);
  prefer(receive);
  exchange_.style = receive.style;
  exchange_.strategy = receive.strategy->name;
  if (receive.conditional) return look_first(std::move(receive));
  return proceed(std::move(receive), {});
}

/// The operator chose how the disk is waited for by what --durability asks of every upload. Who asks for more
/// must not make the others wait with it.
void Connection::prefer(Receive& receive) {
  const Config& config = services_.config;
  exchange_.prefer = joined_field(parser_.head(), "Prefer").value_or("");
  if (exchange_.prefer.empty() || !receive.strategy->kept) return;
  const Durability wanted = durability_of(exchange_.prefer, config.durability, config.durability_max);
  receive.target.durability_min = wanted;
  if (wanted > config.durability) receive.strategy = &off_the_loop(*receive.strategy);
}

Flow Connection::proceed(Receive&& receive, ExpectedState&& expected) {
  if (receive.conditional) receive.target.expected = std::move(expected);
  exchange_.sink_paused = receive.format == BodyFormat::kJson;
  claim_space(receive);
  exchange_.sink = make_sink(std::move(receive));
  if (const std::uint64_t lacking = space_lacking(); lacking > 0) return reserve(lacking);
  return begin_receiving();
}

Flow Connection::begin_receiving() {
  phase_ = Phase::kReceive;
  const bool nothing_came = exchange_.body_received == 0 && input_.empty();
  if (parser_.head().expects_continue && !exchange_.body_complete && nothing_came) {
    output_ = continue_head();
    phase_ = Phase::kContinue;
  }
  return Flow::kMore;
}

Flow Connection::step_finish() {
  const Result<Flow> finished = exchange_.sink->finish();
  if (!finished) return fail(finished.error());
  if (*finished != Flow::kDone) return *finished;
  add(services_.scoreboard.uploads_committed, 1);
  if (exchange_.claim) exchange_.claim->end();
  if (exchange_.style == StoredStyle::kArticle) tell_keeper();
  return reply_stored();
}

void Connection::tell_keeper() {
  Keeper* keeper = services_.uploads.keeper;
  if (keeper == nullptr) return;
  if (const FormContent* form = exchange_.sink->form()) {
    keeper->published(*form);
  } else {
    keeper->published(exchange_.sink->stored());
  }
}

Flow Connection::decide(Remove&& remove) {
  if (remove.conditional) return look_first(std::move(remove));
  return proceed(std::move(remove), {});
}

Flow Connection::proceed(Remove&& remove, ExpectedState&& expected) {
  Resumer& resumer = *this;
  exchange_.remover =
      std::make_unique<Remover>(services_.uploads, resumer, std::move(remove.name), std::move(expected));
  phase_ = Phase::kRemove;
  return Flow::kMore;
}

Flow Connection::step_remove() {
  const Result<Flow> removed = exchange_.remover->step();
  if (!removed) return fail(removed.error());
  if (*removed != Flow::kDone) return *removed;
  return reply({.status = 204}, {});
}

Flow Connection::step_reply() {
  const Flow flow = flush_output(exchange_.file_follows);
  if (flow != Flow::kMore) return flow;
  if (!exchange_.file_follows) return end_exchange();
  phase_ = Phase::kSend;
  return Flow::kMore;
}

Flow Connection::step_linger() {
  const Result<Flow> discarded = fill_input();
  if (!discarded) return Flow::kDone;
  input_ = Chunk();
  return *discarded;
}

}  // namespace forklift
