#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "bench/micro/support.h"
#include "common/limits.h"
#include "worker/upload/form.h"
#include "worker/upload/multipart_head.h"
#include "worker/upload/multipart_parser.h"

namespace forklift {
namespace {

constexpr std::string_view kBoundary = "gouchicao0123456789";
constexpr std::size_t kFileBytes = 256 * 1024;
constexpr std::string_view kPartHead =
    "Content-Disposition: form-data; name=\"file\"; filename=\"health.jpg\"\r\nContent-Type: image/jpeg\r\n";

std::string part(std::string_view head, std::string_view data) {
  std::string text = "--";
  return text.append(kBoundary).append("\r\n").append(head).append("\r\n").append(data).append("\r\n");
}

std::string end() { return "--" + std::string(kBoundary) + "--\r\n"; }

/// The bytes of its parts; none where `body`, coming in pieces, is no form.
std::size_t data_bytes_of(std::string_view body, std::size_t piece_bytes) {
  MultipartParser parser(kBoundary, FormLimits());
  std::size_t bytes = 0;
  for (; !body.empty(); body.remove_prefix(std::min(piece_bytes, body.size()))) {
    std::string_view left = body.substr(0, piece_bytes);
    while (!left.empty()) {
      const auto event = parser.next(left);
      if (!event) return 0;
      bytes += event->data.size();
      left.remove_prefix(event->used);
    }
  }
  return parser.end() ? bytes : 0;
}

void measure(benchmark::State& state, const std::string& body, std::size_t piece_bytes) {
  for (auto _ : state) {
    const std::size_t bytes = data_bytes_of(body, piece_bytes);
    if (bytes == 0) return state.SkipWithError("not a whole form");
    benchmark::DoNotOptimize(bytes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

/// The boundary search, a slab a time, as uploads come.
void search_boundary(benchmark::State& state, const std::string& file) {
  measure(state, part(kPartHead, file) + end(), kSlabBytes);
}
BENCHMARK_CAPTURE(search_boundary, in_noise, micro::noise(kFileBytes));
BENCHMARK_CAPTURE(search_boundary, in_line_ends, micro::noise(kFileBytes, "\r\n"));

/// Every line of the file begins like the boundary: what costs the search most.
void search_boundary_in_its_likes(benchmark::State& state) {
  const std::string like = "\r\n--" + std::string(kBoundary.substr(0, kBoundary.size() - 1));
  std::string file;
  while (file.size() < kFileBytes) file += like;
  measure(state, part(kPartHead, file) + end(), kSlabBytes);
}
BENCHMARK(search_boundary_in_its_likes);

/// A whole form: ten fields and a file of so many bytes.
void parse_form(benchmark::State& state) {
  std::string body;
  for (int field = 0; field < 10; ++field)
    body += part("Content-Disposition: form-data; name=\"a\"\r\n", "value");
  body += part(kPartHead, micro::noise(static_cast<std::size_t>(state.range(0)))) + end();
  measure(state, body, kSlabBytes);
}
BENCHMARK(parse_form)->ArgName("bytes")->Arg(1 << 10)->Arg(256 << 10)->Arg(4 << 20);

/// The same form, torn by the network into pieces of so many bytes.
void parse_torn_form(benchmark::State& state) {
  measure(state, part(kPartHead, micro::noise(kFileBytes)) + end(), static_cast<std::size_t>(state.range(0)));
}
BENCHMARK(parse_torn_form)->ArgName("piece")->Arg(1)->Arg(1460);

void read_part_head(benchmark::State& state) {
  for (auto _ : state) {
    const auto head = parse_part_head(kPartHead);
    if (!head || !head->is_file()) return state.SkipWithError("not the head of a file");
    benchmark::DoNotOptimize(head->name.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kPartHead.size()));
}
BENCHMARK(read_part_head);

void read_form_boundary(benchmark::State& state) {
  const std::string type = "multipart/form-data; boundary=" + std::string(kBoundary);
  for (auto _ : state) {
    std::string boundary = form_boundary(type);
    if (boundary != kBoundary) return state.SkipWithError("another boundary");
    benchmark::DoNotOptimize(boundary.data());
  }
}
BENCHMARK(read_form_boundary);

}  // namespace
}  // namespace forklift
