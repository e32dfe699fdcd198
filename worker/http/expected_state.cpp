#include "worker/http/expected_state.h"

#include <algorithm>

namespace forklift {

bool ExpectedState::holds(std::optional<std::string_view> etag) const {
  switch (kind) {
    case Kind::kAny:
      return true;
    case Kind::kAbsent:
      return !etag;
    case Kind::kPresent:
      return etag.has_value();
    case Kind::kOneOf:
      break;
  }
  return etag && std::find(etags.begin(), etags.end(), *etag) != etags.end();
}

}  // namespace forklift
