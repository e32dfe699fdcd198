#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "worker/http/content_disposition.h"
#include "worker/http/entity_tag.h"
#include "worker/http/http_date.h"
#include "worker/http/preconditions.h"
#include "worker/http/range.h"

namespace forklift {
namespace {

constexpr std::time_t kNow = 1800000000;
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Times what `work` makes of a field: something that is empty where it did not understand.
template <typename Work>
void time_field(benchmark::State& state, std::string_view field, Work&& work) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(field);
    auto result = work(field);
    if (!result) return state.SkipWithError("the field was not understood");
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations());
}

void read_range(benchmark::State& state, std::string_view field, std::size_t ranges) {
  time_field(state, field, [ranges](std::string_view value) {
    std::optional<RangeChoice> choice = parse_range(value, 1 << 30);
    if (choice->ranges.size() != ranges) choice.reset();
    return choice;
  });
}
BENCHMARK_CAPTURE(read_range, one, "bytes=1048576-2097151", 1);
BENCHMARK_CAPTURE(read_range, suffix, "bytes=-65536", 1);
BENCHMARK_CAPTURE(read_range, eight,
                  "bytes=0-99,1000-1099,2000-2099,3000-3099,4000-4099,5000-5099,6000-6099,7000-7099", 8);

void read_entity_tags(benchmark::State& state, std::string_view field) {
  time_field(state, field, [](std::string_view value) { return parse_entity_tags(value); });
}
BENCHMARK_CAPTURE(read_entity_tags, one, "\"1a2b3c4d-5e6f-40000\"");
BENCHMARK_CAPTURE(read_entity_tags, three, "\"1a2b3c4d-5e6f-40000\", W/\"a\", \"b\"");

void read_date(benchmark::State& state) {
  time_field(state, kDate, [](std::string_view value) { return parse_http_date(value, kNow); });
}
BENCHMARK(read_date);

/// A browser that has the file: 304.
void judge_not_modified(benchmark::State& state) {
  const std::optional<Validators> current = Validators{"\"1a2b3c4d-5e6f-40000\"", 784111777};
  time_field(state, current->etag, [&current](std::string_view tag) {
    RequestHead head;
    head.method = Method::kGet;
    head.fields = {{"Host", "a"}, {"If-None-Match", tag}, {"If-Modified-Since", kDate}};
    std::optional<Precondition> judged = judge_preconditions(head, current, kNow);
    if (judged->verdict != Precondition::Verdict::kNotModified) judged.reset();
    return judged;
  });
}
BENCHMARK(judge_not_modified);

void write_disposition(benchmark::State& state, std::string_view name) {
  time_field(state, name, [](std::string_view value) {
    return std::optional(content_disposition(Disposition::kAttachment, value));
  });
}
BENCHMARK_CAPTURE(write_disposition, ascii, "photos/holiday.jpg");
BENCHMARK_CAPTURE(write_disposition, utf8, "photos/r\xc3\xa9sum\xc3\xa9.pdf");

}  // namespace
}  // namespace forklift
