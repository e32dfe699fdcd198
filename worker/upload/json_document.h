#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/result.h"
#include "worker/upload/json_outline.h"

namespace forklift {

/// What a JSON upload says, and where in its body the file stands: the inside of a string, escapes and all.
struct JsonUpload {
  std::string field;  // the key it came under
  std::string filename;
  std::size_t file_offset = 0;
  std::size_t file_size = 0;
};

/// Reads the JSON body of an upload: an object with one of "file", "data" and "content", and perhaps
/// "filename". Other members may be there; all of it must be well-formed JSON. One thread at a time.
///
/// simdjson's tables take up to six bytes for each byte of what it parses, whatever that holds. So no more
/// than kWholeBytesMax are ever given to it, and the tables of more than kTablesKeptForBytesMax are freed at
/// once: at most 7 MiB while it parses, at most 3 MiB between two bodies.
class JsonParser {
 public:
  /// Bytes that must be readable behind a body, and set; to what does not matter.
  static const std::size_t kPaddingBytes;

  /// The largest body that is parsed whole; of a larger one, what may stand beside its file.
  static constexpr std::size_t kWholeBytesMax = 1u << 20;

  JsonParser();
  ~JsonParser();

  /// A body of at most kWholeBytesMax. The errors are kBadBody, with the position where the parser knows it,
  /// kBodyTooLarge and kNoMemory.
  Result<JsonUpload> parse(const char* body, std::size_t size);

  /// The same for a larger body, by what stands around its longest string, which find_longest_string() found:
  /// that must be the file (else kBodyTooLarge). Whether its inside is well-formed is left to whoever decodes
  /// it: all that base64 may hold is.
  Result<JsonUpload> parse_around(const char* body, std::size_t size, const JsonHole& hole);

 private:
  static constexpr std::size_t kTablesKeptForBytesMax = 512u << 10;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forklift
