#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "worker/upload/json_document.h"

namespace {

using namespace forklift;

/// What stands behind the body must not matter.
Result<JsonUpload> parse(JsonParser& parser, const std::uint8_t* data, std::size_t size, char behind) {
  std::vector<char> padded(size + JsonParser::kPaddingBytes, behind);
  if (size > 0) std::memcpy(padded.data(), data, size);
  auto upload = parser.parse(padded.data(), size);
  if (upload && upload->file_size > 0) {
    if (upload->file_offset + upload->file_size >= size) std::abort();
    if (padded[upload->file_offset - 1] != '"') std::abort();
    if (padded[upload->file_offset + upload->file_size] != '"') std::abort();
  }
  return upload;
}

}  // namespace

/// No body leads outside of itself; a parser that was used gives the answer of a new one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  JsonParser parser;
  const auto first = parse(parser, data, size, '\0');
  const auto again = parse(parser, data, size, '"');
  if (first.ok() != again.ok()) std::abort();
  if (first) {
    if (first->file_offset != again->file_offset || first->file_size != again->file_size) std::abort();
    if (first->field != again->field || first->filename != again->filename) std::abort();
  } else if (first.error().position != again.error().position ||
             first.error().position > static_cast<std::int64_t>(size)) {
    std::abort();
  }
  return 0;
}
