#include "worker/http/representation.h"

#include <charconv>
#include <string_view>

#include "worker/http/json.h"

namespace forklift {

namespace {

void append_hex(std::string& out, std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  out.append(digits, end);
}

bool unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         std::string_view("-._~/").find(byte) != std::string_view::npos;
}

}  // namespace

std::string stored_json(const Stored& stored) {
  std::string json = R"({"file_path": )";
  append_json_string(json, stored.file_path);
  json += R"(, "size": )";
  json += std::to_string(stored.size);
  json += R"(, "durability": ")";
  json += to_string(stored.durability);
  json += "\"}\n";
  return json;
}

std::string location_of(const Stored& stored) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string location = "/files/";
  for (const char byte : stored.file_path) {
    if (unreserved(byte)) {
      location += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    location += '%';
    location += kHexDigits[value >> 4];
    location += kHexDigits[value & 15];
  }
  return location;
}

std::string etag_of(const OpenedFile& file) {
  std::string etag = "\"";
  append_hex(etag, file.inode);
  etag += '-';
  append_hex(etag, file.size);
  etag += '-';
  append_hex(etag, static_cast<std::uint64_t>(file.modified.tv_sec));
  etag += '.';
  append_hex(etag, static_cast<std::uint64_t>(file.modified.tv_nsec));
  return etag + '"';
}

}  // namespace forklift
