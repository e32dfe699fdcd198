#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forklift {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kOther };

const char* to_string(Method method);

/// One header field as sent; the name keeps its case, the value has no surrounding white space.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// The head of one request (RFC 9112), parsed and judged: framing is sound, Host is there. Owned by the
/// parser; views are into its storage and die with the next request.
struct RequestHead {
  Method method = Method::kOther;
  std::string_view method_name;  // as sent
  std::string_view target;       // as sent: "/files/a%20b?x=1"
  std::string_view path;         // the target up to '?', still encoded
  std::string_view query;        // behind '?', still encoded; empty: none
  int http_minor = 1;            // HTTP/1.minor
  std::vector<HeaderField> fields;

  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }

  /// The first field of that name, in any case; empty view where there is none.
  std::string_view field(std::string_view name) const;
};

}  // namespace forklift
