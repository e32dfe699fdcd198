#include "worker/upload/json_document.h"

#include <simdjson.h>

#include <algorithm>

namespace forklift {

namespace ondemand = simdjson::ondemand;

const std::size_t JsonParser::kPaddingBytes = simdjson::SIMDJSON_PADDING;

struct JsonParser::State {
  ondemand::parser parser;
};

namespace {

constexpr char kMalformed[] = "The body is not well-formed JSON.";
constexpr char kSomethingFollows[] = "Something follows the JSON object.";
constexpr int kDepthMax = 64;
constexpr std::size_t kFilenameBytesMax = 4096;

Error bad_body(const char* sentence, std::size_t position) {
  return {ErrorCode::kBadBody, sentence, 0, static_cast<std::int64_t>(position)};
}

Error bad_body(const char* sentence) { return {ErrorCode::kBadBody, sentence}; }

/// What the parser says, in words for whoever sent the body.
Error error_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return bad_body("The body is empty where JSON was expected.");
    case simdjson::UTF8_ERROR:
      return bad_body("The JSON body is not valid UTF-8.");
    case simdjson::UNESCAPED_CHARS:
      return bad_body("A string of the JSON body holds a control character that is not escaped.");
    case simdjson::UNCLOSED_STRING:
      return bad_body("A string of the JSON body has no end.");
    case simdjson::STRING_ERROR:
      return bad_body("A string of the JSON body holds an escape that JSON does not have.");
    case simdjson::NUMBER_ERROR:
      return bad_body("The JSON body holds a number that is malformed or out of range.");
    case simdjson::DEPTH_ERROR:
      return bad_body("The JSON body is nested too deeply.");
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return bad_body("Something in the JSON body begins like true, false or null and is none of them.");
    case simdjson::INCORRECT_TYPE:
      return bad_body("The body must be a JSON object.");
    case simdjson::CAPACITY:
      return {ErrorCode::kBodyTooLarge, "The JSON body is too large to be parsed."};
    case simdjson::MEMALLOC:
      return {ErrorCode::kNoMemory, "JSON parser"};
    default:
      return bad_body(kMalformed);
  }
}

/// A value nobody asked for: on-demand parsing looks at nothing by itself, and a body is whole JSON or
/// refused.
simdjson::error_code walk(ondemand::value value, int depth);

simdjson::error_code walk_array(ondemand::value value, int depth) {
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) return error;
  for (auto element : array) {
    ondemand::value inner;
    if (const auto error = element.get(inner)) return error;
    if (const auto error = walk(inner, depth)) return error;
  }
  return simdjson::SUCCESS;
}

simdjson::error_code walk_object(ondemand::value value, int depth) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  for (auto each : object) {
    ondemand::field field;
    if (const auto error = std::move(each).get(field)) return error;
    if (const auto error = field.unescaped_key().error()) return error;
    if (const auto error = walk(field.value(), depth)) return error;
  }
  return simdjson::SUCCESS;
}

/// What begins like a literal and is none has a wrong type to the parser.
simdjson::error_code of_literal(simdjson::error_code error) {
  return error == simdjson::INCORRECT_TYPE ? simdjson::T_ATOM_ERROR : error;
}

simdjson::error_code walk_null(ondemand::value value) {
  bool null = false;
  if (const auto error = value.is_null().get(null)) return of_literal(error);
  return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
}

simdjson::error_code walk(ondemand::value value, int depth) {
  if (depth == 0) return simdjson::DEPTH_ERROR;
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::array:
      return walk_array(value, depth - 1);
    case ondemand::json_type::object:
      return walk_object(value, depth - 1);
    case ondemand::json_type::number:
      return value.get_number().error();
    case ondemand::json_type::string:
      return value.get_string().error();
    case ondemand::json_type::boolean:
      return of_literal(value.get_bool().error());
    case ondemand::json_type::null:
      return walk_null(value);
  }
  return simdjson::TAPE_ERROR;
}

/// The members of the object, one after the other.
class Reading {
 public:
  explicit Reading(const char* body) : body_(body) {}

  Result<void> take(ondemand::field& field) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error_of(error);
    for (const std::string_view name : {"file", "data", "content"}) {
      if (key == name) return take_file(name, field.value());
    }
    if (key == "filename") return take_filename(field.value());
    if (const auto error = walk(field.value(), kDepthMax)) return error_of(error);
    return {};
  }

  Result<JsonUpload> upload() {
    if (!has_file_) return bad_body("The JSON body has no member \"file\" (or \"data\", or \"content\").");
    return std::move(upload_);
  }

 private:
  Result<void> take_file(std::string_view name, ondemand::value value) {
    std::string_view token = value.raw_json_token();
    const auto position = static_cast<std::size_t>(token.data() - body_);
    if (has_file_) {
      return bad_body("The JSON body has more than one of \"file\", \"data\" and \"content\".", position);
    }
    if (token.front() != '"') return bad_body("The file must be a JSON string that holds base64.", position);
    // Takes it as the string it is: skipping would let `"…":` pass for the key of the next member.
    if (const auto error = value.get_raw_json_string().error()) return error_of(error);
    token = token.substr(0, token.rfind('"'));
    has_file_ = true;
    upload_.field = name;
    upload_.file_offset = position + 1;
    upload_.file_size = token.size() - 1;
    return {};
  }

  Result<void> take_filename(ondemand::value value) {
    const std::string_view token = value.raw_json_token();
    const auto position = static_cast<std::size_t>(token.data() - body_);
    if (has_filename_) return bad_body("The JSON body has more than one \"filename\".", position);
    if (token.front() != '"') return bad_body("The filename must be a JSON string.", position);
    std::string_view filename;
    if (const auto error = value.get_string().get(filename)) return error_of(error);
    if (filename.size() > kFilenameBytesMax) {
      return Error{ErrorCode::kBodyTooLarge, "The filename is longer than 4096 bytes."};
    }
    has_filename_ = true;
    upload_.filename = filename;
    return {};
  }

  const char* body_;
  JsonUpload upload_;
  bool has_file_ = false;
  bool has_filename_ = false;
};

/// Adds where the parser stood, if the error does not say. At the first byte it has not begun.
Error located(Error error, ondemand::document& document, const char* body, std::size_t size) {
  const char* location = nullptr;
  if (error.position < 0 && error.code == ErrorCode::kBadBody &&
      document.current_location().get(location) == simdjson::SUCCESS && location > body &&
      location < body + size) {
    error.position = location - body;
  }
  return error;
}

Result<JsonUpload> read_members(ondemand::document& document, ondemand::object object, const char* body) {
  Reading reading(body);
  for (auto each : object) {
    ondemand::field field;
    if (const auto error = std::move(each).get(field)) return error_of(error);
    if (const auto taken = reading.take(field); !taken) return taken.error();
  }
  const char* behind = nullptr;
  if (document.current_location().get(behind) == simdjson::SUCCESS) {
    return bad_body(kSomethingFollows);
  }
  return reading.upload();
}

/// Behind the brace that closes the object at the beginning of `body`; npos: it has none. Counts nothing but
/// braces outside of strings.
std::size_t end_of_object(std::string_view body) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < body.size(); ++at) {
    const char byte = body[at];
    if (byte == '"') {
      at = end_of_string(body, at + 1);
      if (at == std::string_view::npos) break;
    } else if (byte == '{') {
      ++depth;
    } else if (byte == '}' && depth > 0 && --depth == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

/// For what the parser only calls malformed: where an object has no end, or something stands behind it.
Error malformed(std::string_view body) {
  const std::size_t end = end_of_object(body);
  if (end == std::string_view::npos) {
    return bad_body("The JSON object has no closing brace: the body ends before it.");
  }
  const std::size_t behind = body.find_first_not_of(" \t\r\n", end);
  if (behind != std::string_view::npos) return bad_body(kSomethingFollows, behind);
  return bad_body(kMalformed);
}

/// The first byte of what is no UTF-8.
std::size_t end_of_utf8(std::string_view body) {
  std::size_t at = 0;
  while (at < body.size()) {
    const auto lead = static_cast<unsigned char>(body[at]);
    const std::size_t bytes = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!simdjson::validate_utf8(body.substr(at, bytes))) break;
    at += bytes;
  }
  return at;
}

/// The first control character inside of a string.
std::size_t find_unescaped(std::string_view body) {
  for (std::size_t at = 0; (at = body.find('"', at)) != std::string_view::npos; ++at) {
    const std::size_t close = std::min(end_of_string(body, at + 1), body.size());
    for (++at; at < close; ++at) {
      if (static_cast<unsigned char>(body[at]) < 0x20) return at;
    }
  }
  return body.size();
}

/// What the parser refuses before it has begun to read members.
Error refused(simdjson::error_code code, std::string_view body) {
  Error error = error_of(code);
  if (code == simdjson::UTF8_ERROR) error.position = static_cast<std::int64_t>(end_of_utf8(body));
  if (code == simdjson::UNESCAPED_CHARS) error.position = static_cast<std::int64_t>(find_unescaped(body));
  return error;
}

Result<JsonUpload> parse_document(ondemand::parser& parser, const char* body, std::size_t size) {
  ondemand::document document;
  if (const auto error = parser.iterate(body, size, size + JsonParser::kPaddingBytes).get(document)) {
    return refused(error, {body, size});
  }
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    if (error == simdjson::INCORRECT_TYPE) return error_of(error);
    return malformed({body, size});  // the parser looks at the last token first
  }
  auto upload = read_members(document, object, body);
  if (upload) return upload;
  if (upload.error().operation == kMalformed && end_of_object({body, size}) == std::string_view::npos) {
    return malformed({body, size});
  }
  return located(upload.error(), document, body, size);
}

}  // namespace

JsonParser::JsonParser() : state_(std::make_unique<State>()) {}
JsonParser::~JsonParser() = default;

Result<JsonUpload> JsonParser::parse(const char* body, std::size_t size) {
  if (size > kWholeBytesMax) return error_of(simdjson::CAPACITY);
  auto upload = parse_document(state_->parser, body, size);
  if (state_->parser.capacity() > kTablesKeptForBytesMax) state_ = std::make_unique<State>();
  return upload;
}

Result<JsonUpload> JsonParser::parse_around(const char* body, std::size_t size, const JsonHole& hole) {
  const std::size_t behind = hole.offset + hole.size;
  if (size - hole.size > kWholeBytesMax) return error_of(simdjson::CAPACITY);
  std::string outline;
  outline.reserve(size - hole.size + kPaddingBytes);
  outline.append(body, hole.offset).append(body + behind, size - behind).append(kPaddingBytes, '\0');
  auto upload = parse(outline.data(), outline.size() - kPaddingBytes);
  if (!upload) {
    Error error = upload.error();
    if (error.position >= static_cast<std::int64_t>(hole.offset)) {
      error.position += static_cast<std::int64_t>(hole.size);
    }
    return error;
  }
  if (upload->file_offset != hole.offset) {
    return Error{ErrorCode::kBodyTooLarge,
                 "The longest string of a JSON body over 1 MiB must be the file (\"file\", \"data\" or "
                 "\"content\"); in this "
                 "one it is another (the server's option --json-limit says so)."};
  }
  upload->file_size = hole.size;
  return upload;
}

}  // namespace forklift
