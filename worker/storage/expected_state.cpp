#include "worker/storage/expected_state.h"

#include <algorithm>

#include "worker/storage/version.h"

namespace forklift {

bool ExpectedState::holds(std::optional<std::string_view> etag) const {
  const bool listed = etag && std::find(etags.begin(), etags.end(), *etag) != etags.end();
  switch (kind) {
    case Kind::kAny:
      return true;
    case Kind::kAbsent:
      return !etag;
    case Kind::kPresent:
      return etag.has_value();
    case Kind::kOneOf:
      return listed;
    case Kind::kNoneOf:
      return !listed;
  }
  return false;
}

Result<void> check_expected(const ExpectedState& expected, const struct stat* there) {
  if (expected.kind == ExpectedState::Kind::kAny) return {};
  std::optional<std::string> etag;
  if (there != nullptr) etag = etag_of(version_of(*there));
  if (expected.holds(etag)) return {};
  if (expected.kind == ExpectedState::Kind::kAbsent) return Error{ErrorCode::kExists, "expected: no file"};
  return Error{ErrorCode::kPrecondition, "expected: another file"};
}

}  // namespace forklift
