#pragma once

#include <string>

#include "common/config.h"
#include "common/result.h"

namespace forklift {

/// worker --check-config: everything that a worker's start needs, tried as far as that changes nothing of
/// what is served: the user and the group (this process becomes them, so it is to end after this), the root,
/// the strategies, the sample, the access log. The error is a sentence.
Result<void, std::string> check_config(const Config& config);

}  // namespace forklift
