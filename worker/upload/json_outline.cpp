#include "worker/upload/json_outline.h"

#include <algorithm>

namespace forklift {

std::size_t end_of_string(std::string_view body, std::size_t begin) {
  for (std::size_t at = begin;; ++at) {
    at = body.find('"', at);
    if (at == std::string_view::npos) return at;
    std::size_t backslashes = 0;
    while (at - backslashes > begin && body[at - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return at;
  }
}

Result<JsonHole> find_longest_string(std::string_view body, std::size_t beside_bytes_max) {
  const Error too_large{ErrorCode::kBodyTooLarge,
                        "A JSON body over 1 MiB may hold one long string, the file, and at most 1 MiB beside "
                        "it; this one holds "
                        "more (the server's option --json-limit says so)."};
  JsonHole longest;
  std::size_t at = 0;
  for (;;) {
    const std::size_t open = body.find('"', at);
    if (open == std::string_view::npos) break;
    const std::size_t close = end_of_string(body, open + 1);
    if (close == std::string_view::npos) {
      return Error{ErrorCode::kBadBody, "A string of the JSON body has no end.", 0,
                   static_cast<std::int64_t>(open)};
    }
    if (close - open - 1 > longest.size) longest = {open + 1, close - open - 1};
    at = close + 1;
    const std::size_t longest_possible = std::max(longest.size, body.size() - at);
    if (body.size() - longest_possible > beside_bytes_max) return too_large;
  }
  if (body.size() - longest.size > beside_bytes_max) return too_large;
  return longest;
}

}  // namespace forklift
