#include "worker/storage/version.h"

#include <algorithm>
#include <charconv>

namespace forklift {
namespace {

void append_hex(std::string& out, std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  out.append(digits, end);
}

bool is_one_of(const std::vector<std::string>& etags, const struct stat& there) {
  return std::find(etags.begin(), etags.end(), etag_of(version_of(there))) != etags.end();
}

bool is_met(const ExpectedState& expected, const struct stat* there) {
  using Kind = ExpectedState::Kind;
  switch (expected.kind) {
    case Kind::kAnything:
      return true;
    case Kind::kAbsent:
      return there == nullptr;
    case Kind::kFile:
      return there != nullptr;
    case Kind::kOneOf:
      return there != nullptr && is_one_of(expected.etags, *there);
    case Kind::kNoneOf:
      return there == nullptr || !is_one_of(expected.etags, *there);
  }
  return false;
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

Result<void> check_expected(const ExpectedState& expected, const struct stat* there) {
  if (is_met(expected, there)) return {};
  if (expected.kind == ExpectedState::Kind::kAbsent) return Error{ErrorCode::kExists, "expected: no file"};
  return Error{ErrorCode::kPrecondition, "expected: another file"};
}

}  // namespace forklift
