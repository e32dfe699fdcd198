#include "worker/http/range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <system_error>

#include "common/ascii.h"
#include "worker/http/entity_tag.h"
#include "worker/http/http_date.h"
#include "worker/http/joined_field.h"

namespace forklift {
namespace {

using Kind = RangeChoice::Kind;

constexpr std::string_view kUnit = "bytes=";
constexpr std::uint64_t kFar = std::numeric_limits<std::uint64_t>::max();

/// A second may have had several files. More than one has to lie between it and now (RFC 9110, 8.8.2.2), so
/// two where both are whole; and what is dated now, as files of the future are, is never old enough.
constexpr std::time_t kSettledAfterS = 2;

/// "first-last", "first-" or "-suffix", as asked.
struct Spec {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
};

/// A range with its place in the request.
struct Placed {
  ByteRange range;
  std::size_t place;
};

std::string_view without_white(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t") + 1;
  return text.substr(first, std::max(first, end) - first);
}

/// Digits, and nothing else. Where there are none `out` stays empty.
bool read_number(std::string_view text, std::optional<std::uint64_t>& out) {
  if (text.empty()) return true;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error == std::errc::invalid_argument) return false;
  out = error == std::errc::result_out_of_range ? kFar : number;
  return true;
}

std::optional<Spec> read_spec(std::string_view text) {
  const std::size_t dash = text.find('-');
  Spec spec;
  if (dash == text.npos) return std::nullopt;
  if (!read_number(text.substr(0, dash), spec.first)) return std::nullopt;
  if (!read_number(text.substr(dash + 1), spec.last)) return std::nullopt;
  if (!spec.first && !spec.last) return std::nullopt;
  if (spec.first && spec.last && *spec.last < *spec.first) return std::nullopt;
  return spec;
}

/// The bytes of it that there are (RFC 9110, 14.1.2). `size` > 0.
std::optional<ByteRange> satisfy(const Spec& spec, std::uint64_t size) {
  if (!spec.first) {
    if (*spec.last == 0) return std::nullopt;
    return ByteRange{size - std::min(size, *spec.last), size - 1};
  }
  if (*spec.first >= size) return std::nullopt;
  return ByteRange{*spec.first, std::min(spec.last.value_or(kFar), size - 1)};
}

/// What of the list there is; none where the list is malformed.
std::optional<std::vector<Placed>> read_list(std::string_view list, std::uint64_t size) {
  std::vector<Placed> placed;
  std::size_t count = 0;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = without_white(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (element.empty()) continue;
    const auto spec = read_spec(element);
    if (!spec) return std::nullopt;
    if (const auto range = satisfy(*spec, size)) placed.push_back({*range, count});
    ++count;
  }
  return count > 0 ? std::optional(std::move(placed)) : std::nullopt;
}

/// Merged ranges take the place of the first of them.
void coalesce(std::vector<Placed>& ranges) {
  const auto by_first = [](const Placed& a, const Placed& b) { return a.range.first < b.range.first; };
  std::sort(ranges.begin(), ranges.end(), by_first);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    Placed& before = ranges[kept];
    const Placed& next = ranges[i];
    const bool apart =
        next.range.first > before.range.last && next.range.first - before.range.last - 1 >= kRangeGapMin;
    if (apart) {
      ranges[++kept] = next;
      continue;
    }
    before.range.last = std::max(before.range.last, next.range.last);
    before.place = std::min(before.place, next.place);
  }
  ranges.resize(std::min(kept + 1, ranges.size()));
  std::sort(ranges.begin(), ranges.end(), [](const Placed& a, const Placed& b) { return a.place < b.place; });
}

}  // namespace

RangeChoice parse_range(std::string_view value, std::uint64_t size, std::size_t ranges_max) {
  if (size == 0 || !equal_ignoring_case(value.substr(0, kUnit.size()), kUnit)) return {};
  auto placed = read_list(value.substr(kUnit.size()), size);
  if (!placed) return {};
  if (placed->empty()) return {Kind::kUnsatisfiable};
  coalesce(*placed);
  if (placed->size() > ranges_max) return {};
  RangeChoice choice{placed->size() == 1 ? Kind::kSingle : Kind::kSeveral};
  for (const Placed& one : *placed) choice.ranges.push_back(one.range);
  return choice;
}

bool if_range_holds(std::string_view value, const Validators& current, std::time_t now) {
  if (const auto tag = parse_entity_tag(value)) return match_strongly(*tag, {current.etag, false});
  const auto date = parse_http_date(value, now);
  return date && *date == current.last_modified && now - current.last_modified >= kSettledAfterS;
}

RangeChoice choose_range(const RequestHead& head, std::uint64_t size, const Validators& current,
                         std::time_t now) {
  if (head.method != Method::kGet) return {};
  const auto range = joined_field(head, "Range");
  if (!range) return {};
  const auto if_range = joined_field(head, "If-Range");
  if (if_range && !if_range_holds(*if_range, current, now)) return {};
  return parse_range(*range, size);
}

}  // namespace forklift
