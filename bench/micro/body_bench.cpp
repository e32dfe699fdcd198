#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "worker/upload/base64.h"
#include "worker/upload/form.h"
#include "worker/upload/json_document.h"
#include "worker/upload/multipart_parser.h"

namespace forklift {
namespace {

constexpr std::size_t kBodyBytes = 256 * 1024;

std::string noise(std::string_view alphabet, std::size_t size) {
  std::minstd_rand random;
  std::string text(size, ' ');
  for (char& byte : text) byte = alphabet[random() % alphabet.size()];
  return text;
}

std::string every_byte() {
  std::string bytes;
  for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
  return bytes;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The boundary search over a file of noise (0) or of nothing but line ends (1), its worst case.
void take_form_apart(benchmark::State& state) {
  const std::string file = state.range(0) == 0 ? noise(every_byte(), kBodyBytes) : noise("\r\n", kBodyBytes);
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n" + file + "\r\n--b--\r\n";
  for (auto _ : state) {
    MultipartParser parser("b", FormLimits());
    std::string_view left = body;
    while (!left.empty()) {
      const auto event = parser.next(left);
      if (!event) return state.SkipWithError("no form");
      left.remove_prefix(event->used);
    }
    if (!parser.end()) return state.SkipWithError("no whole form");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(take_form_apart)->Arg(0)->Arg(1);

/// Every codec this CPU can run, libb64 first.
void decode_base64(benchmark::State& state) {
  const auto codecs = base64_codecs();
  if (static_cast<std::size_t>(state.range(0)) >= codecs.size())
    return state.SkipWithError("not on this CPU");
  const Base64Codec& codec = *codecs[static_cast<std::size_t>(state.range(0))];
  const std::string text = noise(kBase64, kBodyBytes / 3 * 4);
  std::vector<std::byte> out(kBodyBytes);
  for (auto _ : state) benchmark::DoNotOptimize(codec.decode(text, out, true).written);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(decode_base64)->DenseRange(0, 3);

void read_json(benchmark::State& state) {
  std::string body = R"({"file": ")" + noise(kBase64, kBodyBytes / 3 * 4) + R"("})";
  const std::size_t size = body.size();
  body.append(JsonParser::kPaddingBytes, ' ');
  JsonParser parser;
  for (auto _ : state) benchmark::DoNotOptimize(parser.parse(body.data(), size).ok());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}
BENCHMARK(read_json);

}  // namespace
}  // namespace forklift
