#include "worker/http/joined_field.h"

#include "common/ascii.h"

namespace forklift {

std::optional<std::string> joined_field(const RequestHead& head, std::string_view name) {
  std::optional<std::string> joined;
  for (const HeaderField& field : head.fields) {
    if (!equal_ignoring_case(field.name, name)) continue;
    if (joined) {
      *joined += ", ";
      *joined += field.value;
    } else {
      joined = field.value;
    }
  }
  return joined;
}

}  // namespace forklift
