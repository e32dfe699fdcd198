#include <benchmark/benchmark.h>

#include <span>
#include <string_view>

#include "worker/http/parser.h"
#include "worker/http/response.h"
#include "worker/routes/table.h"

namespace forklift {
namespace {

constexpr std::string_view kHead =
    "POST /files/upload/stream/async_read_and_disk_write HTTP/1.1\r\n"
    "Host: 127.0.0.1:8000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
    "Content-Type: application/octet-stream\r\nContent-Length: 262144\r\n\r\n";

void parse_head(benchmark::State& state) {
  RequestParser parser{Limits()};
  for (auto _ : state) {
    const auto fed = parser.feed_head(std::as_bytes(std::span(kHead)));
    if (fed.state != RequestParser::HeadState::kComplete) state.SkipWithError("not a head");
    benchmark::DoNotOptimize(parser.head().content_length);
    parser.next_request();
  }
}
BENCHMARK(parse_head);

void route_upload(benchmark::State& state) {
  RequestParser parser{Limits()};
  (void)parser.feed_head(std::as_bytes(std::span(kHead)));
  const RouteTable table({find_sink_strategy("blocking"), find_source_strategy("sendfile")});
  for (auto _ : state) {
    Reply reply = table.route(parser.head());
    if (!std::holds_alternative<Receive>(reply)) state.SkipWithError("not an upload");
    benchmark::DoNotOptimize(reply);
  }
}
BENCHMARK(route_upload);

void write_head(benchmark::State& state) {
  DateCache dates;
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_head(
        out, {.content_type = "application/json", .content_length = 97, .request_id = "5f1c09d2a6e8b374-1a"},
        dates.text(1800000000));
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(write_head);

}  // namespace
}  // namespace forklift
