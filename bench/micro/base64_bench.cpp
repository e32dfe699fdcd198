#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/micro/support.h"
#include "worker/upload/base64.h"
#include "worker/upload/base64_groups.h"

namespace forklift {
namespace {

constexpr std::int64_t kSizes[] = {1 << 10, 64 << 10, 256 << 10, 4 << 20};  // of the file

std::string text_of(std::int64_t file_bytes) {
  return micro::noise(static_cast<std::size_t>(file_bytes) / 3 * 4, micro::kBase64);
}

void decode_base64(benchmark::State& state, const Base64Codec* codec) {
  const std::string text = text_of(state.range(0));
  std::vector<std::byte> out(text.size() / 4 * 3);
  for (auto _ : state) {
    const Base64Step step = codec->decode(text, out, true);
    if (step.written != out.size()) return state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

/// A benchmark for every codec this CPU can run, and every size.
[[maybe_unused]] const bool registered = [] {
  for (const Base64Codec* codec : base64_codecs()) {
    const std::string name = std::string("decode_base64/") + codec->name();
    auto* benchmark = benchmark::RegisterBenchmark(name.c_str(), decode_base64, codec)->ArgName("bytes");
    for (const std::int64_t size : kSizes) benchmark->Arg(size);
  }
  return true;
}();

/// What stands in front of libb64, which skips what it does not know.
void validate_base64(benchmark::State& state) {
  const std::string text = text_of(state.range(0));
  for (auto _ : state) {
    const std::size_t good = base64_groups_before_fault(text.data(), text.size() / 4);
    if (good != text.size() / 4) return state.SkipWithError("not base64");
    benchmark::DoNotOptimize(good);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(validate_base64)->ArgName("bytes")->Arg(kSizes[0])->Arg(kSizes[1])->Arg(kSizes[2])->Arg(kSizes[3]);

}  // namespace
}  // namespace forklift
