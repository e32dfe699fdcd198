#include "worker/routes/list.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "common/ascii.h"
#include "worker/http/joined_field.h"
#include "worker/routes/query.h"
#include "worker/storage/safe_path.h"

namespace forklift {

namespace {

constexpr std::string_view kKeys[] = {"prefix", "limit", "after"};
constexpr std::size_t kLimitMax = 1000;

std::string_view without_white(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t") + 1;
  return text.substr(first, std::max(first, end) - first);
}

/// "q=0.5" in thousandths; whatever is none weighs all (RFC 9110, 12.4.2).
int weight_of(std::string_view parameters) {
  const std::size_t at = parameters.find("q=");
  if (at == parameters.npos) return 1000;
  const std::string_view text = parameters.substr(at + 2);
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 1000;
  int weight = text[0] - '0';
  for (std::size_t i = 2; i < 5; ++i) {
    const bool digit = i < text.size() && text[1] == '.' && text[i] >= '0' && text[i] <= '9';
    weight = weight * 10 + (digit ? text[i] - '0' : 0);
  }
  return weight;
}

/// How much this type is liked where it is named, 0 where it is not.
int weight_in(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    const std::string_view element = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(element.size() + 1, accept.size()));
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    if (!equal_ignoring_case(without_white(element.substr(0, semicolon)), type)) continue;
    return weight_of(element.substr(semicolon));
  }
  return 0;
}

bool likes_html(const RequestHead& head) {
  const std::string accept = joined_field(head, "Accept").value_or("");
  const int html = weight_in(accept, "text/html");
  return html > 0 && html >= weight_in(accept, "application/json");
}

std::optional<std::size_t> limit_of(std::string_view text) {
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool sound = error == std::errc() && end == text.data() + text.size();
  return sound && limit > 0 && limit <= kLimitMax ? std::optional(limit) : std::nullopt;
}

}  // namespace

Reply list_by_prefix(const RouteOptions&, const Route&, const RequestHead& head) {
  if (!has_only(head.query, kKeys)) {
    return Problem{400, "query-unknown", "A listing takes prefix, limit and after, each once at most.", {}};
  }
  auto prefix = decode_percent(query_value(head.query, "prefix").value_or(""));
  auto after = decode_percent(query_value(head.query, "after").value_or(""));
  const auto asked = decode_percent(query_value(head.query, "limit").value_or(std::to_string(kLimitMax)));
  if (!prefix || !after || !asked) {
    return Problem{400, "query-bad", "In a query every '%' is followed by two hexadecimal digits.", {}};
  }
  const auto limit = limit_of(*asked);
  if (!limit) return Problem{400, "limit-bad", "A page has 1 to 1000 files: write ?limit=N.", {}};
  return List{*std::move(prefix), *std::move(after), *limit, likes_html(head)};
}

}  // namespace forklift
