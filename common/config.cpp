#include "common/config.h"

namespace forklift {

const char* to_string(Durability durability) {
  switch (durability) {
    case Durability::kNone:
      return "none";
    case Durability::kData:
      return "data";
    case Durability::kFull:
      return "full";
  }
  return "none";
}

}  // namespace forklift
