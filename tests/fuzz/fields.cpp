#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "worker/http/byteranges.h"
#include "worker/http/content_disposition.h"
#include "worker/http/digest_fields.h"
#include "worker/http/http_date.h"
#include "worker/http/media_types.h"
#include "worker/http/preconditions.h"
#include "worker/http/range.h"
#include "worker/http/response.h"

namespace {

using namespace forklift;

constexpr std::time_t kNow = 1704067200;

void insist(bool condition) {
  if (!condition) std::abort();
}

void check_range(std::string_view value, std::uint64_t size) {
  const RangeChoice choice = parse_range(value, size);
  const bool partial =
      choice.kind == RangeChoice::Kind::kSingle || choice.kind == RangeChoice::Kind::kSeveral;
  insist(partial != choice.ranges.empty());
  insist(choice.ranges.size() <= kRangesMax);
  insist((choice.kind == RangeChoice::Kind::kSeveral) == (choice.ranges.size() > 1));
  std::vector<ByteRange> sorted = choice.ranges;
  std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    insist(sorted[i].first <= sorted[i].last && sorted[i].last < size);
    insist(i == 0 || sorted[i].first - sorted[i - 1].last > kRangeGapMin);
  }
  ByterangesFrame("b", "a/b", size).content_length(choice.ranges);
}

/// A condition that holds must hold of the state it was judged by.
void check_preconditions(std::string_view value) {
  for (const char* name : {"If-Match", "If-None-Match", "If-Unmodified-Since"}) {
    RequestHead head;
    head.method = Method::kPut;
    head.fields = {{name, value}};
    const Precondition of_file = judge_preconditions(head, Validators{"\"a\"", kNow}, kNow);
    if (of_file.verdict == Precondition::Verdict::kProceed) insist(of_file.expected.holds("\"a\""));
    const Precondition of_none = judge_preconditions(head, std::nullopt, kNow);
    if (of_none.verdict == Precondition::Verdict::kProceed) insist(of_none.expected.holds(std::nullopt));
  }
}

void check_date(std::string_view value) {
  const auto time = parse_http_date(value, kNow);
  if (!time) return;
  std::string written;
  append_http_date(written, *time);
  const bool year_fits = *time < 253402300800;  // 60 seconds past the last minute of 9999 are not
  if (year_fits) insist(parse_http_date(written, kNow) == *time);
}

void check_digests(std::string_view value) {
  RequestHead head;
  head.fields = {{"Repr-Digest", value}, {"Content-MD5", value}, {"Want-Repr-Digest", value}};
  wanted_digest(head, "Want-Repr-Digest");
  (void)claimed_md5(head);
  const auto claimed = claimed_digests(head, "Repr-Digest");
  if (!claimed) return;
  for (const Digest& digest : *claimed) {
    const std::string again = format_digest(digest);
    head.fields = {{"Repr-Digest", again}};
    const auto reread = claimed_digests(head, "Repr-Digest");
    insist(reread.ok() && reread->size() == 1 && reread->front() == digest);
  }
}

void check_texts(std::string_view value) {
  const std::string disposition = content_disposition(Disposition::kAttachment, value);
  insist(std::all_of(disposition.begin(), disposition.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  const MediaTypes types = MediaTypes::parse(value);
  const std::string_view type = types.of(std::string("a.").append(value.substr(0, 8)));
  insist(std::all_of(type.begin(), type.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

}  // namespace

/// The first byte says how large the file is (a power of two, or one less). The rest is the value of every
/// field there is, a table of media types and the name of a file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view value(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_range(value, (std::uint64_t{1} << (data[0] / 2 % 64)) - data[0] % 2);
  check_preconditions(value);
  check_date(value);
  check_digests(value);
  check_texts(value);
  return 0;
}
