#include "worker/upload/multipart_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace forklift {

namespace {

using Kind = FormEvent::Kind;

constexpr std::size_t kCrlfBytes = 2;
constexpr std::string_view kBlank = " \t\r\n";
constexpr const char* kNoLineEnd = "A boundary is not followed by the end of its line.";

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + size, b.begin()).first - a.begin());
}

}  // namespace

MultipartParser::MultipartParser(std::string_view boundary, const FormLimits& limits)
    : limits_(limits),
      delimiter_("\r\n--" + std::string(boundary)),
      matched_(kCrlfBytes),  // a body may begin with its boundary, without a line end before it
      unseen_(kCrlfBytes) {}

Result<FormEvent> MultipartParser::next(std::string_view input) {
  if (input.empty()) return FormEvent{Kind::kNothing, 0};
  const Result<FormEvent> event = step(input);
  if (event) position_ += event->used;
  return event;
}

Result<void> MultipartParser::end() const {
  if (state_ == State::kEpilogue) return {};
  if (state_ == State::kPreamble) return bad("The form holds no boundary.");
  return bad("The form ends before its closing boundary.");
}

Result<FormEvent> MultipartParser::step(std::string_view input) {
  switch (state_) {
    case State::kPreamble:
      return step_preamble(input);
    case State::kData:
      return step_data(input);
    case State::kHead:
      return step_head(input);
    case State::kEpilogue:
      return step_epilogue(input);
    default:
      return step_boundary(input.front());
  }
}

/// Where the delimiter begins, whole or as far as the input goes; the input's size where it does not.
std::size_t MultipartParser::find_delimiter(std::string_view input) const {
  for (std::size_t at = 0; at < input.size();) {
    const void* const found = std::memchr(input.data() + at, '\r', input.size() - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    if (at + 1 < input.size() && input[at + 1] != '\n') {
      ++at;
      continue;
    }
    const std::size_t matched = common_prefix(delimiter_, input.substr(at));
    if (matched == delimiter_.size() || at + matched == input.size()) return at;
    at += matched;
  }
  return input.size();
}

/// kData and kHeld as they are, kPartEnd for a whole delimiter.
FormEvent MultipartParser::scan(std::string_view input) {
  if (matched_ == 0) {
    const std::size_t data_bytes = find_delimiter(input);
    if (data_bytes > 0) return {Kind::kData, data_bytes, input.substr(0, data_bytes)};
  }
  const std::string_view delimiter = delimiter_;
  const std::size_t used = common_prefix(delimiter.substr(matched_), input);
  matched_ += used;
  if (matched_ < delimiter.size() && used == input.size()) return {Kind::kNothing, used};
  const std::string_view held = delimiter.substr(unseen_, matched_ - unseen_);
  const bool whole = matched_ == delimiter.size();
  matched_ = 0;
  unseen_ = 0;
  if (whole) return {Kind::kPartEnd, used};
  return {held.empty() ? Kind::kNothing : Kind::kHeld, used, held};
}

Result<FormEvent> MultipartParser::step_preamble(std::string_view input) {
  const FormEvent event = scan(input);
  surround_bytes_ += event.data.size();
  if (surround_bytes_ > limits_.surround_bytes_max)
    return too_large("The form's preamble has more than % bytes.", limits_.surround_bytes_max,
                     limits_.surround_bytes_max);
  if (event.kind == Kind::kPartEnd) state_ = State::kBoundary;
  return FormEvent{Kind::kNothing, event.used};
}

FormEvent MultipartParser::step_data(std::string_view input) {
  const FormEvent event = scan(input);
  if (event.kind == Kind::kPartEnd) state_ = State::kBoundary;
  return event;
}

/// The rest of a boundary's line: "--", or white space and CRLF.
Result<FormEvent> MultipartParser::step_boundary(char next) {
  if (state_ == State::kBoundary) head_bytes_ = 0;
  const bool between = state_ == State::kBoundary || state_ == State::kPadding;
  if (state_ == State::kBoundary && next == '-') {
    state_ = State::kDash;
  } else if (state_ == State::kDash && next == '-') {
    state_ = State::kEpilogue;
    surround_bytes_ = 0;
    return FormEvent{Kind::kEnd, 1};
  } else if (between && (next == ' ' || next == '\t')) {
    state_ = State::kPadding;
    if (++head_bytes_ > limits_.part_header_bytes_max)
      return too_large("A boundary is followed by more than % bytes of white space.",
                       limits_.part_header_bytes_max, position_);
  } else if (between && next == '\r') {
    state_ = State::kLineFeed;
  } else if (state_ == State::kLineFeed && next == '\n') {
    state_ = State::kHead;
    head_.clear();
    line_start_ = 0;
    head_position_ = position_ + 1;
  } else {
    return bad(kNoLineEnd);
  }
  return FormEvent{Kind::kNothing, 1};
}

Result<FormEvent> MultipartParser::step_head(std::string_view input) {
  const std::size_t line_feed = input.find('\n');
  const std::size_t used = line_feed == input.npos ? input.size() : line_feed + 1;
  const std::size_t room = limits_.part_header_bytes_max - head_bytes_;
  if (used > room)
    return too_large("The header of a part has more than % bytes.", limits_.part_header_bytes_max,
                     position_ + room);
  head_bytes_ += used;
  head_.append(input, 0, used);
  if (line_feed == input.npos) return FormEvent{Kind::kNothing, used};
  const std::string_view line = std::string_view(head_).substr(line_start_);
  if (line.size() < kCrlfBytes || line[line.size() - kCrlfBytes] != '\r')
    return Error{ErrorCode::kBadBody, "A line of a part's header does not end in CRLF.", 0,
                 static_cast<std::int64_t>(head_position_ + head_.size() - 1)};
  if (line.size() > kCrlfBytes) {
    line_start_ = head_.size();
    return FormEvent{Kind::kNothing, used};
  }
  head_.resize(line_start_);
  if (const auto begun = begin_part(); !begun) return begun.error();
  return FormEvent{Kind::kPart, used};
}

Result<void> MultipartParser::begin_part() {
  if (++parts_ > limits_.parts_max)
    return too_large("The form has more than % parts.", limits_.parts_max, head_position_);
  auto part = parse_part_head(head_);
  if (!part) {
    Error error = part.error();
    error.position += static_cast<std::int64_t>(head_position_);
    return error;
  }
  part_ = *std::move(part);
  state_ = State::kData;
  matched_ = kCrlfBytes;  // a part without bytes may have no line end of its own before the delimiter
  unseen_ = kCrlfBytes;
  return {};
}

Result<FormEvent> MultipartParser::step_epilogue(std::string_view input) {
  const bool behind_boundary = surround_bytes_ == 0;
  if (behind_boundary && kBlank.find(input.front()) == kBlank.npos) return bad(kNoLineEnd);
  const std::size_t room = limits_.surround_bytes_max - surround_bytes_;
  if (input.size() > room)
    return too_large("The form's epilogue has more than % bytes.", limits_.surround_bytes_max,
                     position_ + room);
  surround_bytes_ += input.size();
  return FormEvent{Kind::kNothing, input.size()};
}

Error MultipartParser::bad(const char* sentence) const {
  return {ErrorCode::kBadBody, sentence, 0, static_cast<std::int64_t>(position_)};
}

Error MultipartParser::too_large(const char* sentence, std::size_t limit, std::uint64_t position) {
  return {ErrorCode::kBodyTooLarge, sentence, 0, static_cast<std::int64_t>(position),
          static_cast<std::int64_t>(limit)};
}

}  // namespace forklift
