#pragma once

#include "support/catch.h"

namespace forklift::testing {

/// valgrind holds the limit of descriptors itself, once the kernel has done what was asked: a connection
/// accepted then is lost, a file made then stays.
inline bool descriptors_run_out_late() {
#ifdef FORKLIFT_VALGRIND
  WARN("SKIPPED: descriptors run out differently under valgrind");
  return true;
#else
  return false;
#endif
}

}  // namespace forklift::testing
