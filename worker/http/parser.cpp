#include "worker/http/parser.h"

#include <llhttp.h>

#include <cstring>
#include <string>
#include <utility>

#include "worker/http/chunk_guard.h"
#include "worker/http/head_guard.h"
#include "worker/http/head_rules.h"

namespace forklift {
namespace {

constexpr std::size_t kStorageBytes = 1024;
constexpr std::size_t kStorageBytesKept = 4096;

/// A range of the storage, which may still move.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct FieldRange {
  Range name;
  Range value;
};

/// RFC 9110, 9.1: 501 for a method that is not known, unless it is no token at all.
Problem method_problem() {
  return {501, "method-unknown", "This server does not know the request's method.", {}};
}

bool is_method_of_ours(unsigned method) {
  switch (method) {
    case HTTP_CONNECT:
    case HTTP_PRI:
    case HTTP_DESCRIBE:
    case HTTP_ANNOUNCE:
    case HTTP_SETUP:
    case HTTP_PLAY:
    case HTTP_PAUSE:
    case HTTP_TEARDOWN:
    case HTTP_GET_PARAMETER:
    case HTTP_SET_PARAMETER:
    case HTTP_REDIRECT:
    case HTTP_RECORD:
    case HTTP_FLUSH:
      return false;
    default:
      return true;
  }
}

Method method_of(unsigned method) {
  switch (method) {
    case HTTP_GET:
      return Method::kGet;
    case HTTP_HEAD:
      return Method::kHead;
    case HTTP_POST:
      return Method::kPost;
    case HTTP_PUT:
      return Method::kPut;
    case HTTP_DELETE:
      return Method::kDelete;
    case HTTP_OPTIONS:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

std::string_view trimmed(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

}  // namespace

/// llhttp with what it reads from and into. Its callbacks get bytes of `storage` (head) or of the caller's
/// buffer (chunked body).
struct RequestParser::State {
  explicit State(const Limits& its_limits) : limits(its_limits), guard(limits), chunk_guard(limits) {
    storage.reserve(kStorageBytes);
    start();
  }

  const Limits limits;
  llhttp_t llhttp{};
  HeadGuard guard;
  std::string storage;
  Range target;
  std::vector<FieldRange> fields;
  bool in_name = false;
  RequestHead head;
  bool head_complete = false;
  bool refused = false;
  Problem refusal{};

  ChunkGuard chunk_guard;
  char* body = nullptr;           // the caller's buffer, while decoding
  const char* framing = nullptr;  // framing not yet looked at begins here
  RequestParser::Body decoded{};
  bool message_complete = false;

  void start();
  void refuse(Problem problem);
  void complete_head();
  Problem problem_of_llhttp() const;
  std::string_view view(Range range) const { return {storage.data() + range.begin, range.end - range.begin}; }
  std::size_t offset_of(const char* at) const { return static_cast<std::size_t>(at - storage.data()); }

  bool scan_framing(const char* end);
  int take_body(const char* at, std::size_t size);

  static State& of(llhttp_t* llhttp) { return *static_cast<State*>(llhttp->data); }
  static int on_method_complete(llhttp_t* llhttp);
  static int on_url(llhttp_t* llhttp, const char* at, std::size_t size);
  static int on_field(llhttp_t* llhttp, const char* at, std::size_t size);
  static int on_field_complete(llhttp_t* llhttp);
  static int on_value(llhttp_t* llhttp, const char* at, std::size_t size);
  static int on_headers_complete(llhttp_t* llhttp);
  static int on_body(llhttp_t* llhttp, const char* at, std::size_t size);
  static int on_message_complete(llhttp_t* llhttp);
  static llhttp_settings_t make_settings();
};

llhttp_settings_t RequestParser::State::make_settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_method_complete = on_method_complete;
  settings.on_url = on_url;
  settings.on_header_field = on_field;
  settings.on_header_field_complete = on_field_complete;
  settings.on_header_value = on_value;
  settings.on_headers_complete = on_headers_complete;
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
  return settings;
}

void RequestParser::State::start() {
  static const llhttp_settings_t settings = make_settings();
  llhttp_init(&llhttp, HTTP_REQUEST, &settings);
  llhttp.data = this;
}

void RequestParser::State::refuse(Problem problem) {
  if (refused) return;
  refused = true;
  refusal = std::move(problem);
}

int RequestParser::State::on_method_complete(llhttp_t* llhttp) {
  if (is_method_of_ours(llhttp->method)) return 0;
  of(llhttp).refuse(method_problem());
  return -1;
}

int RequestParser::State::on_url(llhttp_t* llhttp, const char* at, std::size_t size) {
  State& state = of(llhttp);
  const std::size_t begin = state.offset_of(at);
  if (state.target.end == 0) state.target.begin = begin;
  state.target.end = begin + size;
  return 0;
}

int RequestParser::State::on_field(llhttp_t* llhttp, const char* at, std::size_t size) {
  State& state = of(llhttp);
  if (state.head_complete) return 0;  // a trailer: read, judged by its size, and dropped
  const std::size_t begin = state.offset_of(at);
  if (!state.in_name) state.fields.push_back({{begin, begin}, {}});
  state.in_name = true;
  state.fields.back().name.end = begin + size;
  return 0;
}

int RequestParser::State::on_field_complete(llhttp_t* llhttp) {
  of(llhttp).in_name = false;
  return 0;
}

int RequestParser::State::on_value(llhttp_t* llhttp, const char* at, std::size_t size) {
  State& state = of(llhttp);
  if (state.head_complete) return 0;
  Range& value = state.fields.back().value;
  const std::size_t begin = state.offset_of(at);
  if (value.end == 0) value.begin = begin;
  value.end = begin + size;
  return 0;
}

// Here and at the end of the message llhttp stops, so that it never changes protocols (RFC 9110, 7.8 lets a
// server ignore that wish).
int RequestParser::State::on_headers_complete(llhttp_t*) { return HPE_PAUSED; }

int RequestParser::State::on_body(llhttp_t* llhttp, const char* at, std::size_t size) {
  return of(llhttp).take_body(at, size);
}

int RequestParser::State::on_message_complete(llhttp_t* llhttp) {
  of(llhttp).message_complete = true;
  return HPE_PAUSED;
}

/// What llhttp found wrong, said as HTTP wants it.
Problem RequestParser::State::problem_of_llhttp() const {
  switch (llhttp_get_errno(&llhttp)) {
    case HPE_INVALID_METHOD: {
      const std::size_t bad = offset_of(llhttp_get_error_pos(&llhttp));
      const std::string_view start = std::string_view(storage).substr(0, bad + 1);
      const bool token = start.find_first_of("\"(),/:;<=>?@[\\]{}") == std::string_view::npos;
      return token ? method_problem() : malformed("The request does not begin with a method.");
    }
    case HPE_INVALID_VERSION:
      return version_problem(guard.version());
    default: {
      const char* reason = llhttp_get_error_reason(&llhttp);
      return malformed(std::string("The request is not well-formed: ") + (reason ? reason : "unknown") + ".");
    }
  }
}

void RequestParser::State::complete_head() {
  head.method = method_of(llhttp.method);
  head.method_name = std::string_view(storage).substr(0, storage.find(' '));
  head.target = view(target);
  head.http_minor = llhttp.http_minor;
  head.fields.reserve(fields.size());
  for (const FieldRange& field : fields) {
    head.fields.push_back({view(field.name), trimmed(view(field.value))});
  }
  head_complete = true;
  if (auto problem = judge_head(head)) return refuse(std::move(*problem));
  const bool llhttp_chunked = (llhttp.flags & F_CHUNKED) != 0;
  if (head.chunked != llhttp_chunked) return refuse(malformed("The body's framing is ambiguous."));
  if (head.chunked) llhttp_resume(&llhttp);
}

/// Looks at the framing in front of `end`.
bool RequestParser::State::scan_framing(const char* end) {
  auto problem = chunk_guard.scan_framing({framing, static_cast<std::size_t>(end - framing)});
  framing = end;
  if (problem) refuse(std::move(*problem));
  return !problem;
}

int RequestParser::State::take_body(const char* at, std::size_t size) {
  if (!scan_framing(at)) return -1;
  framing = at + size;
  chunk_guard.add_data(size);
  const auto begin = static_cast<std::size_t>(at - body);
  if (decoded.size == 0) decoded.offset = begin;
  if (decoded.offset + decoded.size != begin) std::memmove(body + decoded.offset + decoded.size, at, size);
  decoded.size += size;
  return 0;
}

RequestParser::RequestParser(const Limits& limits) : state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;

RequestParser::Head RequestParser::feed_head(std::span<const std::byte> bytes) {
  State& state = *state_;
  if (state.refused || bytes.empty()) return {state.refused ? HeadState::kRefused : HeadState::kNeedMore, 0};
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  HeadGuard::Scan scan = state.guard.scan(text);
  const std::size_t consumed = scan.skipped + scan.accepted;
  const std::size_t known = state.storage.size();
  state.storage.append(text.substr(scan.skipped, scan.accepted));
  const auto error = llhttp_execute(&state.llhttp, state.storage.data() + known, scan.accepted);
  // What llhttp refuses stands in front of what the guard stopped at.
  if (error != HPE_OK && !(error == HPE_PAUSED && scan.ended)) {
    state.refuse(state.problem_of_llhttp());
  } else if (scan.refusal) {
    state.refuse(std::move(*scan.refusal));
  } else if (scan.ended && error == HPE_OK) {
    state.refuse(malformed("The request's head does not end where its empty line is."));
  } else if (scan.ended) {
    state.complete_head();
  }
  if (state.refused) return {HeadState::kRefused, consumed};
  return {state.head_complete ? HeadState::kComplete : HeadState::kNeedMore, consumed};
}

bool RequestParser::head_started() const { return !state_->storage.empty(); }
const RequestHead& RequestParser::head() const { return state_->head; }
const Problem& RequestParser::refusal() const { return state_->refusal; }

Result<RequestParser::Body, Problem> RequestParser::decode_chunked(std::span<std::byte> bytes) {
  State& state = *state_;
  state.decoded = {};
  if (bytes.empty()) return state.decoded;
  state.body = reinterpret_cast<char*>(bytes.data());
  state.framing = state.body;
  const auto error = llhttp_execute(&state.llhttp, state.body, bytes.size());
  const char* end = error == HPE_OK ? state.body + bytes.size() : llhttp_get_error_pos(&state.llhttp);
  if (!state.refused) state.scan_framing(end);
  if (!state.refused && error != HPE_OK && !state.message_complete) {
    state.refuse({400, "chunk-malformed", "The chunked body is not framed as RFC 9112, 7.1 says.", {}});
  }
  if (state.refused) return state.refusal;
  state.decoded.consumed = static_cast<std::size_t>(end - state.body);
  state.decoded.complete = state.message_complete;
  return state.decoded;
}

void RequestParser::next_request() {
  State& state = *state_;
  state.storage.clear();
  if (state.storage.capacity() > kStorageBytesKept) {
    state.storage.shrink_to_fit();
    state.storage.reserve(kStorageBytes);
  }
  state.guard = HeadGuard(state.limits);
  state.chunk_guard = ChunkGuard(state.limits);
  state.target = {};
  state.fields.clear();
  state.in_name = false;
  std::vector<HeaderField> fields = std::move(state.head.fields);
  fields.clear();
  state.head = RequestHead();
  state.head.fields = std::move(fields);
  state.head_complete = false;
  state.message_complete = false;
  state.start();
}

}  // namespace forklift
