#include "worker/http/head_rules.h"

#include <algorithm>
#include <charconv>

#include "common/ascii.h"
#include "worker/http/head_guard.h"

namespace forklift {
namespace {

constexpr auto kNone = std::string_view::npos;

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// unreserved, sub-delims and the '%' of an encoded byte (RFC 3986, 3.2.2).
bool is_reg_name_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~!$&'()*+,;=%").find(c) != kNone;
}

/// uri-host [ ":" port ]; empty where the target has no authority (RFC 9112, 3.2).
bool is_host(std::string_view host) {
  std::size_t host_bytes = std::min(host.find(':'), host.size());
  if (host.substr(0, 1) == "[") {
    host_bytes = host.find(']');
    if (host_bytes == kNone || host_bytes < 3) return false;
    const std::string_view address = host.substr(1, host_bytes - 1);
    const bool sound = std::all_of(address.begin(), address.end(),
                                   [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; });
    if (!sound) return false;
    ++host_bytes;
  } else if (!std::all_of(host.begin(), host.begin() + static_cast<std::ptrdiff_t>(host_bytes),
                          is_reg_name_byte)) {
    return false;
  }
  const std::string_view port = host.substr(host_bytes);
  return port.empty() || (port[0] == ':' && std::all_of(port.begin() + 1, port.end(), is_digit));
}

/// The element in front of the next comma, without white space; `list` keeps what follows.
std::string_view take_element(std::string_view& list) {
  const std::size_t comma = std::min(list.find(','), list.size());
  std::string_view element = list.substr(0, comma);
  list.remove_prefix(std::min(comma + 1, list.size()));
  const std::size_t first = element.find_first_not_of(" \t");
  if (first == kNone) return {};
  return element.substr(first, element.find_last_not_of(" \t") - first + 1);
}

/// What the fields that matter for framing say; counts, since repeating one is a trick.
struct Gathered {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  std::string_view host;
  std::string_view length;
  std::string_view coding;
  bool close = false;
  bool keep_alive = false;
  bool expects_continue = false;
  bool expects_other = false;
};

void gather_connection(std::string_view options, Gathered& out) {
  while (!options.empty()) {
    const std::string_view option = take_element(options);
    if (equal_ignoring_case(option, "close")) out.close = true;
    if (equal_ignoring_case(option, "keep-alive")) out.keep_alive = true;
  }
}

void gather_expectation(std::string_view value, Gathered& out) {
  if (equal_ignoring_case(value, "100-continue")) {
    out.expects_continue = true;
  } else {
    out.expects_other = true;
  }
}

Gathered gather(const RequestHead& head) {
  Gathered out;
  for (const auto& [name, value] : head.fields) {
    if (equal_ignoring_case(name, "host")) {
      ++out.hosts;
      out.host = value;
    } else if (equal_ignoring_case(name, "content-length")) {
      ++out.lengths;
      out.length = value;
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
      ++out.codings;
      out.coding = value;
    } else if (equal_ignoring_case(name, "connection")) {
      gather_connection(value, out);
    } else if (equal_ignoring_case(name, "expect")) {
      gather_expectation(value, out);
    }
  }
  return out;
}

std::optional<Problem> judge_host(const RequestHead& head, const Gathered& said) {
  if (said.hosts > 1) return malformed("A request must have one Host, not several.");
  if (said.hosts == 0 && head.http_minor > 0) return malformed("A request under HTTP/1.1 must have a Host.");
  if (!is_host(said.host)) return malformed("Host must be a name or an address, with a port or without.");
  return {};
}

std::optional<Problem> judge_coding(RequestHead& head, const Gathered& said) {
  if (said.codings == 0) return {};
  if (said.codings > 1) return malformed("Transfer-Encoding must be said once.");
  if (said.lengths > 0) return malformed("Transfer-Encoding and Content-Length exclude each other.");
  if (head.http_minor == 0) return malformed("HTTP/1.0 knows no Transfer-Encoding.");
  std::string_view rest = said.coding;
  int chunked = 0;
  std::string_view coding;
  bool unknown = false;
  do {
    coding = take_element(rest);
    const bool is_chunked = equal_ignoring_case(coding, "chunked");
    chunked += is_chunked ? 1 : 0;
    unknown = unknown || !is_chunked;
  } while (!rest.empty());
  if (!equal_ignoring_case(coding, "chunked") || chunked != 1) {
    return malformed("The last transfer coding, and only that, must be chunked.");
  }
  if (unknown) {
    return Problem{501, "transfer-coding-unknown", "This server knows no transfer coding but chunked.", {}};
  }
  // Spelled otherwise ("chunked,"), it may be read otherwise by whoever stands in front of this server.
  if (said.coding.size() != coding.size()) return malformed("Transfer-Encoding must be chunked.");
  head.chunked = true;
  return {};
}

std::optional<Problem> judge_length(RequestHead& head, const Gathered& said) {
  if (said.lengths == 0) return {};
  if (said.lengths > 1) return malformed("Content-Length must be said once.");
  std::uint64_t length = 0;
  const char* end = said.length.data() + said.length.size();
  const auto [stop, error] = std::from_chars(said.length.data(), end, length);
  if (error != std::errc() || stop != end) return malformed("Content-Length must be a decimal number.");
  head.content_length = length;
  return {};
}

std::optional<Problem> judge_expectation(RequestHead& head, const Gathered& said) {
  if (head.http_minor == 0) return {};  // a 1.0 client cannot wait for a 100 (RFC 9110, 10.1.1)
  if (said.expects_other) {
    return Problem{417, "expectation-unknown", "This server meets no expectation but 100-continue.", {}};
  }
  head.expects_continue = said.expects_continue && head.has_body();
  return {};
}

/// "http://host/path?query" means "/path?query" (RFC 9112, 3.2.2); empty where it is no absolute form.
std::string_view behind_authority(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == kNone) return {};
  const std::string_view scheme = target.substr(0, colon);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) return {};
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t authority_bytes = std::min(rest.find_first_of("/?"), rest.size());
  if (authority_bytes == 0 || !is_host(rest.substr(0, authority_bytes))) return {};
  const std::string_view path = rest.substr(authority_bytes);
  return path.empty() ? std::string_view("/") : path;
}

std::optional<Problem> split_target(RequestHead& head) {
  std::string_view rest = head.target;
  if (rest.substr(0, 1) != "/") {
    const bool asterisk = rest == "*" && head.method == Method::kOptions;
    if (!asterisk) rest = behind_authority(rest);
    if (rest.empty()) return malformed("The request target must be a path that begins with '/'.");
  }
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  head.path = mark == 0 ? std::string_view("/") : rest.substr(0, mark);
  head.query = rest.substr(std::min(mark + 1, rest.size()));
  return {};
}

}  // namespace

std::optional<Problem> judge_head(RequestHead& head) {
  const Gathered said = gather(head);
  head.keep_alive = !said.close && (head.http_minor > 0 || said.keep_alive);
  if (auto refusal = split_target(head)) return refusal;
  if (auto refusal = judge_host(head, said)) return refusal;
  if (auto refusal = judge_coding(head, said)) return refusal;
  if (auto refusal = judge_length(head, said)) return refusal;
  return judge_expectation(head, said);
}

}  // namespace forklift
