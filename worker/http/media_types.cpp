#include "worker/http/media_types.h"

#include <algorithm>
#include <fstream>

#include "common/ascii.h"

namespace forklift {
namespace {

constexpr std::size_t kTableBytesMax = 1 << 20;
constexpr std::size_t kExtensionBytesMax = 32;
constexpr std::string_view kDefaultType = "application/octet-stream";

constexpr std::string_view kBuiltIn =
    "text/html html htm\n"
    "text/css css\n"
    "text/javascript js mjs\n"
    "text/plain txt text log\n"
    "text/csv csv\n"
    "text/markdown md markdown\n"
    "text/calendar ics\n"
    "application/json json\n"
    "application/xml xml xsd\n"
    "application/pdf pdf\n"
    "application/zip zip\n"
    "application/gzip gz tgz\n"
    "application/zstd zst\n"
    "application/x-xz xz\n"
    "application/x-bzip2 bz2\n"
    "application/x-7z-compressed 7z\n"
    "application/x-tar tar\n"
    "application/wasm wasm\n"
    "application/rtf rtf\n"
    "application/msword doc\n"
    "application/vnd.ms-excel xls\n"
    "application/vnd.ms-powerpoint ppt\n"
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document docx\n"
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx\n"
    "application/vnd.openxmlformats-officedocument.presentationml.presentation pptx\n"
    "application/vnd.oasis.opendocument.text odt\n"
    "application/vnd.oasis.opendocument.spreadsheet ods\n"
    "application/vnd.oasis.opendocument.presentation odp\n"
    "application/epub+zip epub\n"
    "image/png png\n"
    "image/jpeg jpg jpeg\n"
    "image/gif gif\n"
    "image/webp webp\n"
    "image/avif avif\n"
    "image/heic heic\n"
    "image/svg+xml svg\n"
    "image/tiff tif tiff\n"
    "image/bmp bmp\n"
    "image/vnd.microsoft.icon ico\n"
    "audio/mpeg mp3\n"
    "audio/mp4 m4a\n"
    "audio/ogg ogg opus\n"
    "audio/flac flac\n"
    "audio/x-wav wav\n"
    "video/mp4 mp4\n"
    "video/webm webm\n"
    "video/x-matroska mkv\n"
    "video/quicktime mov\n"
    "font/woff woff\n"
    "font/woff2 woff2\n"
    "font/ttf ttf\n"
    "font/otf otf\n";

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

std::string_view take_word(std::string_view& rest) {
  constexpr std::string_view kWhite = " \t\r";
  rest.remove_prefix(std::min(rest.find_first_not_of(kWhite), rest.size()));
  const std::size_t size = std::min(rest.find_first_of(kWhite), rest.size());
  const std::string_view word = rest.substr(0, size);
  rest.remove_prefix(size);
  return word;
}

/// restricted-name-chars (RFC 6838, 4.2): no white space, no ';', nothing that ends a line.
bool is_type_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         std::string_view("!#$&-^_.+").find(byte) != std::string_view::npos;
}

bool is_type_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_type_byte);
}

/// "type/subtype" or "type/subtype;name=value".
bool is_media_type(std::string_view text) {
  const std::size_t semicolon = std::min(text.find(';'), text.size());
  const std::string_view parameter = text.substr(semicolon);
  const std::string_view essence = text.substr(0, semicolon);
  const std::size_t slash = std::min(essence.find('/'), essence.size());
  if (!is_type_name(essence.substr(0, slash)) || slash == essence.size()) return false;
  if (!is_type_name(essence.substr(slash + 1))) return false;
  const std::size_t equals = std::min(parameter.find('='), parameter.size());
  return parameter.empty() || (is_type_name(parameter.substr(1, equals - 1)) && equals < parameter.size() &&
                               is_type_name(parameter.substr(equals + 1)));
}

std::string_view extension_of(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || dot == 0) return {};  // ".profile" is all name
  return name.substr(dot + 1);
}

}  // namespace

MediaTypes MediaTypes::built_in() { return parse(kBuiltIn); }

MediaTypes MediaTypes::parse(std::string_view table) {
  MediaTypes types;
  while (!table.empty()) {
    const std::size_t end = std::min(table.find('\n'), table.size());
    const std::string_view line = table.substr(0, end);
    types.add_line(line.substr(0, line.find('#')));
    table.remove_prefix(std::min(end + 1, table.size()));
  }
  types.sort();
  return types;
}

MediaTypes MediaTypes::load(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string table(kTableBytesMax, '\0');
  file.read(table.data(), static_cast<std::streamsize>(table.size()));
  table.resize(static_cast<std::size_t>(file.gcount()));
  MediaTypes types = parse(table);
  return types.size() > 0 ? types : built_in();
}

std::string_view MediaTypes::of(std::string_view name) const {
  const std::string_view extension = extension_of(name);
  if (extension.empty() || extension.size() > kExtensionBytesMax) return kDefaultType;
  const std::string key = lowered(extension);
  const auto found = std::lower_bound(
      entries_.begin(), entries_.end(), key,
      [](const Entry& entry, const std::string& wanted) { return entry.extension < wanted; });
  return found != entries_.end() && found->extension == key ? std::string_view(found->type) : kDefaultType;
}

void MediaTypes::add_line(std::string_view line) {
  const std::string_view type = take_word(line);
  if (!is_media_type(type)) return;
  std::string content_type(type);
  const bool names_none = type.find(';') == type.npos;
  if (names_none && equal_ignoring_case(type.substr(0, 5), "text/")) content_type += "; charset=utf-8";
  for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
    if (word.size() <= kExtensionBytesMax) entries_.push_back({lowered(word), content_type});
  }
}

void MediaTypes::sort() {
  const auto less = [](const Entry& a, const Entry& b) { return a.extension < b.extension; };
  const auto same = [](const Entry& a, const Entry& b) { return a.extension == b.extension; };
  std::reverse(entries_.begin(), entries_.end());  // of equals the first stays
  std::stable_sort(entries_.begin(), entries_.end(), less);
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
}

}  // namespace forklift
