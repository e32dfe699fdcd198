#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/result.h"

namespace forklift {

/// What a JSON upload says, and where in its body the file stands: the inside of a string, escapes and all.
struct JsonUpload {
  std::string field;  // the key it came under
  std::string filename;
  std::size_t file_offset = 0;
  std::size_t file_size = 0;
};

/// Reads the JSON body of an upload: an object with one of "file", "data" and "content", and perhaps
/// "filename". Other members may be there; all of it must be well-formed JSON. Keeps its memory between
/// bodies, some four bytes for each of the largest at worst. One thread at a time.
class JsonParser {
 public:
  /// Bytes that must be readable behind a body; what they hold does not matter.
  static const std::size_t kPaddingBytes;

  JsonParser();
  ~JsonParser();

  /// The errors are kBadBody, with the position where the parser knows it, kBodyTooLarge and kNoMemory.
  Result<JsonUpload> parse(const char* body, std::size_t size);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forklift
