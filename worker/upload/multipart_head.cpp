#include "worker/upload/multipart_head.h"

#include <algorithm>
#include <utility>

#include "common/ascii.h"
#include "worker/upload/form.h"
#include "worker/upload/multipart_params.h"

namespace forklift {

namespace {

constexpr std::size_t kBoundaryBytesMax = 70;  // RFC 2046, 5.1.1

Error bad(const char* sentence, std::size_t position) {
  return {ErrorCode::kBadBody, sentence, 0, static_cast<std::int64_t>(position)};
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Only what browsers escape (WHATWG HTML, 4.10.21.8): every other '%' is the client's own.
std::string undo_percent(const std::string& text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view escape = std::string_view(text).substr(i, 3);
    const bool quote = escape == "%22";
    const bool cr = equal_ignoring_case(escape, "%0d");
    const bool lf = equal_ignoring_case(escape, "%0a");
    plain += quote ? '"' : cr ? '\r' : lf ? '\n' : text[i];
    if (quote || cr || lf) i += 2;
  }
  return plain;
}

bool take_once(std::optional<std::string>& into, HeaderParams::Param& param) {
  if (into) return false;
  into = param.quoted ? undo_percent(param.value) : std::move(param.value);
  return true;
}

Result<PartHead> parse_disposition(std::string_view value, std::size_t position) {
  const std::string_view type = value.substr(0, value.find_first_of("; \t"));
  if (!equal_ignoring_case(type, "form-data"))
    return bad("The Content-Disposition of a part is not form-data.", position);
  std::optional<std::string> name;
  std::optional<std::string> filename;
  HeaderParams params(value.substr(type.size()));
  while (auto param = params.next()) {
    const bool once = equal_ignoring_case(param->key, "name")       ? take_once(name, *param)
                      : equal_ignoring_case(param->key, "filename") ? take_once(filename, *param)
                                                                    : true;
    if (!once) return bad("The Content-Disposition of a part says something twice.", position);
  }
  if (params.malformed()) return bad("The Content-Disposition of a part cannot be read.", position);
  if (!name) return bad("The Content-Disposition of a part has no name.", position);
  return PartHead{*std::move(name), std::move(filename)};
}

bool is_boundary_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= kBoundaryBytesMax && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), is_boundary_char);
}

}  // namespace

Result<PartHead> parse_part_head(std::string_view head) {
  std::optional<PartHead> part;
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end == head.npos ? end : end - at);
    const std::size_t colon = line.find(':');
    const auto* const control = std::find_if(line.begin(), line.end(), is_control);
    if (control != line.end())
      return bad("A part's header holds a control character.",
                 at + static_cast<std::size_t>(control - line.begin()));
    if (colon == line.npos || colon == 0 || line.find_first_of(" \t") < colon)
      return bad("A line of a part's header is no header field.", at);
    if (equal_ignoring_case(line.substr(0, colon), "content-disposition")) {
      if (part) return bad("A part has two Content-Disposition fields.", at);
      auto parsed = parse_disposition(trim(line.substr(colon + 1)), at);
      if (!parsed) return parsed.error();
      part = *std::move(parsed);
    }
    at = end == head.npos ? head.size() : end + 2;
  }
  if (!part) return bad("A part has no Content-Disposition.", 0);
  return *std::move(part);
}

std::string form_boundary(std::string_view content_type) {
  content_type = trim(content_type);
  const std::string_view type = content_type.substr(0, content_type.find_first_of("; \t"));
  if (!equal_ignoring_case(type, "multipart/form-data")) return {};
  std::optional<std::string> boundary;
  HeaderParams params(content_type.substr(type.size()));
  while (auto param = params.next()) {
    if (!equal_ignoring_case(param->key, "boundary")) continue;
    if (boundary) return {};
    boundary = std::move(param->value);
  }
  if (params.malformed() || !boundary || !is_boundary(*boundary)) return {};
  return *std::move(boundary);
}

}  // namespace forklift
