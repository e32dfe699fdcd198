#include "worker/storage/safe_path.h"

#include <algorithm>

namespace forklift {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Result<void> check_part(std::string_view part) {
  if (part.empty() || part == "." || part == "..") return Error{ErrorCode::kBadName, "name"};
  if (part.size() > kNamePartBytesMax) return Error{ErrorCode::kNameTooLong, "name"};
  return {};
}

bool is_reserved(std::string_view first_part) {
  return first_part == "upload" || first_part == "download" || first_part == kPrivateDirectory;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte that the escape at `position` stands for, or -1.
int escaped_byte(std::string_view text, std::size_t position) {
  if (position + 2 >= text.size()) return -1;
  const int high = hex_digit(text[position + 1]);
  const int low = hex_digit(text[position + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

Result<void> check_name(std::string_view name) {
  if (std::any_of(name.begin(), name.end(), is_control)) return Error{ErrorCode::kBadName, "name"};
  if (name.size() > kNameBytesMax) return Error{ErrorCode::kNameTooLong, "name"};
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (auto checked = check_part(name.substr(begin, end - begin)); !checked) return checked;
    begin = end + 1;
  }
  if (is_reserved(name.substr(0, name.find('/')))) return Error{ErrorCode::kReservedName, "name"};
  return {};
}

std::optional<std::string> decode_percent(std::string_view encoded) {
  std::string text;
  text.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      text.push_back(encoded[i]);
      continue;
    }
    const int byte = escaped_byte(encoded, i);
    if (byte < 0) return {};
    text.push_back(static_cast<char>(byte));
    i += 2;
  }
  return text;
}

Result<std::string> decode_name(std::string_view encoded) {
  auto name = decode_percent(encoded);
  if (!name) return Error{ErrorCode::kBadName, "name: escape"};
  if (auto checked = check_name(*name); !checked) return checked.error();
  return *std::move(name);
}

}  // namespace forklift
