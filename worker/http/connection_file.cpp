#include <algorithm>
#include <atomic>
#include <ctime>
#include <utility>

#include "worker/http/connection.h"
#include "worker/http/content_disposition.h"
#include "worker/http/file_list.h"
#include "worker/http/range.h"

namespace forklift {

Flow Connection::decide(Send&& send) {
  exchange_.strategy = send.strategy->name;
  exchange_.content_type = services_.files.type_of(send.name);
  if (send.attachment) exchange_.disposition = content_disposition(Disposition::kAttachment, send.name);
  exchange_.source =
      send.strategy->make(services_.downloads, *this, DownloadTarget{std::move(send.name), send.sample});
  phase_ = Phase::kOpen;
  return Flow::kMore;
}

Flow Connection::step_open() {
  const Result<Flow> opened = exchange_.source->open();
  if (!opened) {
    exchange_.source.reset();
    return fail(opened.error());
  }
  return *opened == Flow::kDone ? digest_first() : *opened;
}

Flow Connection::reply_file() {
  const OpenedFile& file = exchange_.source->file();
  // Never later than the Date of the answer, which is made after this (RFC 9110, 8.8.2.1).
  const std::time_t now = std::time(nullptr);
  const Validators current{etag_of(file), std::min<std::time_t>(file.modified.tv_sec, now)};
  const ResponseHead whole{.content_type = exchange_.content_type,
                           .content_length = file.size,
                           .etag = current.etag,
                           .last_modified = current.last_modified,
                           .content_disposition = exchange_.disposition,
                           .strategy = exchange_.strategy,
                           .repr_digest = exchange_.repr_digest,
                           .fields = services_.files.fields()};
  if (has_conditions(parser_.head())) {
    if (const auto flow = reply_as_asked(whole, current, now)) return *flow;
  }
  exchange_.file_follows = !exchange_.head_only && file.size > 0;
  return reply(whole, {});
}

/// Nothing where the whole file is the answer.
std::optional<Flow> Connection::reply_as_asked(const ResponseHead& whole, const Validators& current,
                                               std::time_t now) {
  const Precondition judged = judge_preconditions(parser_.head(), current, now);
  if (judged.verdict == Precondition::Verdict::kNotModified) {
    return reply({.status = 304, .etag = current.etag, .fields = services_.files.fields_of_304()}, {});
  }
  if (judged.verdict == Precondition::Verdict::kFailed) {
    return refuse({412, "precondition", judged.why, {}, "", current.etag});
  }
  RangeChoice choice = choose_range(parser_.head(), *whole.content_length, current, now);
  switch (choice.kind) {
    case RangeChoice::Kind::kWhole:
      return std::nullopt;
    case RangeChoice::Kind::kSingle:
      return reply_range(whole, choice.ranges.front());
    case RangeChoice::Kind::kUnsatisfiable:
      return refuse_range(whole);
    case RangeChoice::Kind::kSeveral:
      break;
  }
  std::string boundary = random_boundary();
  if (boundary.empty()) return std::nullopt;
  return reply_ranges(whole, std::move(choice.ranges), std::move(boundary));
}

Flow Connection::refuse_range(const ResponseHead& whole) {
  const std::uint64_t size = *whole.content_length;
  const std::string body = problem_json(
      {416, "range", "The file has " + std::to_string(size) + " bytes, none of which the Range names.", {}},
      exchange_.request_id.view());
  const std::string where = unsatisfied_content_range(size);
  return reply({.status = 416,
                .content_type = "application/problem+json",
                .content_length = body.size(),
                .etag = whole.etag,
                .content_range = where},
               body);
}

Flow Connection::reply_range(ResponseHead head, const ByteRange& range) {
  const std::string where = content_range(range, *head.content_length);
  head.status = 206;
  head.content_length = range.size();
  head.content_range = where;
  exchange_.source->select(range.first, range.size());
  exchange_.file_follows = true;
  return reply(head, {});
}

Flow Connection::reply_ranges(ResponseHead head, std::vector<ByteRange>&& ranges, std::string boundary) {
  ByterangesFrame frame(boundary, head.content_type, *head.content_length);
  const std::string type = frame.content_type();
  exchange_.ranges = std::make_unique<ByterangesBody>(std::move(frame), std::move(ranges));
  head.status = 206;
  head.content_type = type;
  head.content_length = exchange_.ranges->content_length();
  const Flow flow = reply(head, {});
  append_next_range();
  return flow;
}

/// The next part's head, and behind it its bytes, or the end of them all.
void Connection::append_next_range() {
  const ByterangesBody::Piece piece = exchange_.ranges->next();
  output_ += piece.text;
  exchange_.sent += piece.text.size();
  exchange_.file_follows = piece.range.has_value();
  if (piece.range) exchange_.source->select(piece.range->first, piece.range->size());
}

Flow Connection::step_send() {
  const Result<Step> sent = exchange_.source->send(socket_, kBytesPerTurn);
  if (!sent) return break_off(sent.error());
  moved(sent->bytes);
  add(services_.scoreboard.bytes_sent, sent->bytes);
  exchange_.sent += sent->bytes;
  if (sent->flow != Flow::kDone) return sent->flow;
  if (exchange_.ranges == nullptr) return end_exchange();
  append_next_range();
  phase_ = Phase::kReply;
  return Flow::kMore;
}

/// The head promised a length that cannot be kept: only a broken connection says so.
Flow Connection::break_off(const Error& error) {
  if (error.code != ErrorCode::kPeerGone) {
    add(services_.scoreboard.downloads_broken, 1);
    owner_.failed(error, exchange_.request_id.view());
  }
  return Flow::kDone;
}

Flow Connection::decide(List&& list) {
  const FileStore& store = services_.downloads.store;
  exchange_.content_type = list.html ? kFileListHtmlType : kFileListJsonType;
  Resumer& resumer = *this;
  exchange_.listing = std::make_unique<DiskCall<std::string>>(
      services_.downloads.disk, resumer,
      [&store, page = std::move(list)](const std::atomic<bool>& abandoned) -> Result<std::string> {
        const auto listing = store.list(page.prefix, page.limit, page.after, {.cancelled = &abandoned});
        if (!listing) return listing.error();
        return page.html ? file_list_html(page, *listing) : file_list_json(page, *listing);
      },
      DiskLane::kLong);
  phase_ = Phase::kList;
  return Flow::kMore;
}

Flow Connection::step_list() {
  const auto& outcome = exchange_.listing->outcome();
  if (!outcome) return Flow::kWaitDisk;
  if (!*outcome) return fail(outcome->error());
  const auto listing = std::move(exchange_.listing);  // not kept while the client reads the copy
  const std::string& body = **outcome;
  return reply(
      {.content_type = exchange_.content_type, .content_length = body.size(), .fields = kFileListFields},
      body);
}

}  // namespace forklift
