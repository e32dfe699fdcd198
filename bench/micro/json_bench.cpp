#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/micro/support.h"
#include "common/limits.h"
#include "worker/upload/base64_reader.h"
#include "worker/upload/json_document.h"
#include "worker/upload/json_outline.h"

namespace forklift {
namespace {

constexpr std::string_view kBefore = R"({"filename": "health.jpg", "file": ")";

/// A JSON upload in memory, with the room behind it that the parser asks for.
class Body {
 public:
  explicit Body(std::string_view inside) : text_(kBefore) {
    text_.append(inside).append("\"}");
    size_ = text_.size();
    text_.append(JsonParser::kPaddingBytes, ' ');
  }

  const char* data() const { return text_.data(); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {data(), size()}; }

 private:
  std::string text_;
  std::size_t size_;
};

std::string base64_of(std::int64_t file_bytes) {
  return micro::noise(static_cast<std::size_t>(file_bytes) / 3 * 4, micro::kBase64);
}

/// As PHP writes it: every slash escaped.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '/' ? "\\/" : std::string(1, c));
  return out;
}

void count_bytes(benchmark::State& state, const Body& body) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

/// Where the file stands: whole up to kWholeBytesMax, above that around the longest string.
Result<JsonUpload> find_file(JsonParser& parser, const Body& body) {
  if (body.size() <= JsonParser::kWholeBytesMax) return parser.parse(body.data(), body.size());
  const auto hole = find_longest_string(body.view(), JsonParser::kWholeBytesMax);
  if (!hole) return hole.error();
  return parser.parse_around(body.data(), body.size(), *hole);
}

void parse_json(benchmark::State& state) {
  const Body body(base64_of(state.range(0)));
  JsonParser parser;
  for (auto _ : state) {
    const auto upload = find_file(parser, body);
    if (!upload) return state.SkipWithError("no upload");
    benchmark::DoNotOptimize(upload->file_size);
  }
  count_bytes(state, body);
}
BENCHMARK(parse_json)->ArgName("bytes")->Arg(1 << 10)->Arg(256 << 10)->Arg(4 << 20);

/// What a large body costs before it is parsed, alone.
void outline_json(benchmark::State& state) {
  const Body body(base64_of(state.range(0)));
  for (auto _ : state) {
    const auto hole = find_longest_string(body.view(), JsonParser::kWholeBytesMax);
    if (!hole) return state.SkipWithError("no outline");
    benchmark::DoNotOptimize(hole->size);
  }
  count_bytes(state, body);
}
BENCHMARK(outline_json)->ArgName("bytes")->Arg(4 << 20);

/// All the endpoint does between the last byte of its body and the first it gives to the disk: find the file,
/// decode it slab by slab.
void take_json(benchmark::State& state, const std::string& inside, Base64Choice choice) {
  const Body body(inside);
  const Base64Codec& codec = base64_codec(choice);
  JsonParser parser;
  std::vector<std::byte> slab(kSlabBytes);
  for (auto _ : state) {
    const auto upload = find_file(parser, body);
    if (!upload) return state.SkipWithError("no upload");
    Base64Reader reader(body.view().substr(upload->file_offset, upload->file_size), upload->file_offset,
                        codec);
    while (!reader.at_end()) {
      if (!reader.read(slab)) return state.SkipWithError("no base64");
      benchmark::DoNotOptimize(slab.data());
      benchmark::ClobberMemory();
    }
  }
  count_bytes(state, body);
}
BENCHMARK_CAPTURE(take_json, 1k, base64_of(1 << 10), Base64Choice::kAuto);
BENCHMARK_CAPTURE(take_json, 256k, base64_of(256 << 10), Base64Choice::kAuto);
BENCHMARK_CAPTURE(take_json, 256k_by_libb64, base64_of(256 << 10), Base64Choice::kLibb64);
BENCHMARK_CAPTURE(take_json, 256k_escaped, escaped(base64_of(256 << 10)), Base64Choice::kAuto);
BENCHMARK_CAPTURE(take_json, 4m, base64_of(4 << 20), Base64Choice::kAuto);

}  // namespace
}  // namespace forklift
