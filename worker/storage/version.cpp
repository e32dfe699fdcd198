#include "worker/storage/version.h"

#include <charconv>

namespace forklift {
namespace {

void append_hex(std::string& out, std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  out.append(digits, end);
}

}  // namespace

FileVersion version_of(const struct stat& status) {
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mtim};
}

std::string etag_of(const FileVersion& version) {
  std::string etag = "\"";
  append_hex(etag, version.inode);
  etag += '-';
  append_hex(etag, version.size);
  etag += '-';
  append_hex(etag, static_cast<std::uint64_t>(version.modified.tv_sec));
  etag += '.';
  append_hex(etag, static_cast<std::uint64_t>(version.modified.tv_nsec));
  return etag + '"';
}

}  // namespace forklift
