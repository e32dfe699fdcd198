#include <benchmark/benchmark.h>

#include <span>
#include <string>
#include <variant>

#include "worker/http/parser.h"
#include "worker/routes/query.h"
#include "worker/routes/table.h"
#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

template <typename Kind>
bool is(const Reply& reply) {
  return std::holds_alternative<Kind>(reply);
}

/// The decision over one request: method, path and, where it has one, form boundary and name.
void route(benchmark::State& state, bool (*expected)(const Reply&), const std::string& request_line,
           const std::string& fields) {
  const std::string text = request_line + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  RequestParser parser{Limits()};
  if (parser.feed_head(std::as_bytes(std::span(text))).state != RequestParser::HeadState::kComplete)
    return state.SkipWithError("not a head");
  const RouteTable table({find_sink_strategy("blocking"), find_source_strategy("sendfile")});
  for (auto _ : state) {
    Reply reply = table.route(parser.head());
    if (!expected(reply)) return state.SkipWithError("another decision");
    benchmark::DoNotOptimize(reply);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(route, put, is<Receive>, "PUT /files/photos/2024/holiday%20(1).jpg",
                  "Content-Length: 9\r\n");
BENCHMARK_CAPTURE(route, get, is<Send>, "GET /files/photos/2024/holiday%20(1).jpg", "");
BENCHMARK_CAPTURE(route, raw_upload, is<Receive>, "POST /files/upload/stream/async_read_and_disk_write",
                  "Content-Length: 9\r\n");
BENCHMARK_CAPTURE(route, form_upload, is<Receive>, "POST /files/upload/single",
                  "Content-Length: 9\r\nContent-Type: multipart/form-data; boundary=gouchicao0123456789\r\n");
BENCHMARK_CAPTURE(route, download, is<Send>, "GET /files/download/file?name=holiday.jpg", "");
BENCHMARK_CAPTURE(route, not_found, is<Problem>, "GET /favicon.ico", "");

void read_query(benchmark::State& state) {
  for (auto _ : state) {
    const auto value = query_value("a=1&b=2&name=photos%2Fholiday%20(1).jpg", "name");
    if (!value) return state.SkipWithError("no such key");
    benchmark::DoNotOptimize(value->data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_query);

void decode_file_name(benchmark::State& state) {
  for (auto _ : state) {
    const auto name = decode_name("photos/2024/r%C3%A9sum%C3%A9%20(1).pdf");
    if (!name) return state.SkipWithError("not a name");
    benchmark::DoNotOptimize(name->data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_file_name);

}  // namespace
}  // namespace forklift
