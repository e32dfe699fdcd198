#include "worker/storage/version.h"

#include <charconv>
#include <cstddef>

namespace forklift {
namespace {

constexpr std::size_t kHexDigitsMax = 16;

char* put_hex(char* at, std::uint64_t number) {
  return std::to_chars(at, at + kHexDigitsMax, number, 16).ptr;
}

}  // namespace

FileVersion version_of(const struct stat& status) {
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mtim};
}

std::string etag_of(const FileVersion& version) {
  char text[4 * kHexDigitsMax + 5];
  char* end = text;
  *end++ = '"';
  end = put_hex(end, version.inode);
  *end++ = '-';
  end = put_hex(end, version.size);
  *end++ = '-';
  end = put_hex(end, static_cast<std::uint64_t>(version.modified.tv_sec));
  *end++ = '.';
  end = put_hex(end, static_cast<std::uint64_t>(version.modified.tv_nsec));
  *end++ = '"';
  return {text, end};
}

}  // namespace forklift
