#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "bench/micro/support.h"
#include "worker/http/parser.h"
#include "worker/http/response.h"

namespace forklift {
namespace {

constexpr std::string_view kShortGet = "GET /files/a.bin HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n";

constexpr std::string_view kCurlUpload =
    "POST /files/upload/stream/async_read_and_disk_write HTTP/1.1\r\n"
    "Host: 127.0.0.1:8000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
    "Content-Type: application/octet-stream\r\nContent-Length: 262144\r\n\r\n";

constexpr std::string_view kBrowserGet =
    "GET /files/photos/2024/holiday.jpg HTTP/1.1\r\nHost: files.example.org\r\nConnection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"126\", \"Not/A)Brand\";v=\"8\"\r\nsec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: "
    "document\r\n"
    "Referer: https://files.example.org/files/photos/2024/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\nCookie: "
    "session=5f1c09d2a6e8b3741a2b3c4d5e6f7081\r\n"
    "If-None-Match: \"1a2b3c4d-5e6f-40000\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";

/// Close to what is taken at all: 90 fields, 30 KiB.
std::string long_get() {
  std::string head = "GET /files/a.bin HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n";
  const std::string value = micro::noise(320, micro::kBase64);
  for (int field = 10; field < 100; ++field)
    head.append("X-").append(std::to_string(field)).append(": ").append(value).append("\r\n");
  return head + "\r\n";
}

void parse_head(benchmark::State& state, const std::string& text, std::size_t piece_bytes) {
  RequestParser parser{Limits()};
  const auto head = std::as_bytes(std::span(text));
  for (auto _ : state) {
    auto fed = RequestParser::HeadState::kNeedMore;
    for (std::size_t at = 0; at < head.size(); at += piece_bytes)
      fed = parser.feed_head(head.subspan(at, std::min(piece_bytes, head.size() - at))).state;
    if (fed != RequestParser::HeadState::kComplete) return state.SkipWithError("not a head");
    benchmark::DoNotOptimize(parser.head().fields.data());
    parser.next_request();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse_head, short_get, std::string(kShortGet), SIZE_MAX);
BENCHMARK_CAPTURE(parse_head, curl_upload, std::string(kCurlUpload), SIZE_MAX);
BENCHMARK_CAPTURE(parse_head, browser_get, std::string(kBrowserGet), SIZE_MAX);
BENCHMARK_CAPTURE(parse_head, browser_get_byte_by_byte, std::string(kBrowserGet), 1);
BENCHMARK_CAPTURE(parse_head, long_get, long_get(), SIZE_MAX);

/// A chunked body of 64 KiB in chunks of so many bytes. Decoding is in place: the copy that it needs is timed
/// as well, and small beside it.
void decode_chunked(benchmark::State& state) {
  const std::string piece = micro::noise(static_cast<std::size_t>(state.range(0)));
  std::string body;
  char size_line[32];
  for (std::size_t bytes = 0; bytes < 64 * 1024; bytes += piece.size()) {
    std::snprintf(size_line, sizeof size_line, "%zx\r\n", piece.size());
    body.append(size_line).append(piece).append("\r\n");
  }
  body += "0\r\n\r\n";
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  RequestParser parser{Limits()};
  std::string scratch;
  for (auto _ : state) {
    (void)parser.feed_head(std::as_bytes(std::span(head)));
    scratch = body;
    const auto decoded = parser.decode_chunked(std::as_writable_bytes(std::span(scratch)));
    if (!decoded || !decoded->complete) return state.SkipWithError("not a chunked body");
    benchmark::DoNotOptimize(decoded->size);
    parser.next_request();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(decode_chunked)->ArgName("chunk")->Arg(16)->Arg(4096)->Arg(65536);

void write_head(benchmark::State& state) {
  DateCache dates;
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_head(
        out, {.content_type = "application/json", .content_length = 97, .request_id = "5f1c09d2a6e8b374-1a"},
        dates.text(1800000000));
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(write_head);

}  // namespace
}  // namespace forklift
