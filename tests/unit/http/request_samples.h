#pragma once

#include <string>
#include <vector>

namespace forklift {

struct RefusedSample {
  std::string name;
  std::string stream;
  std::string refusal;  // "STATUS TYPE"
};

/// Streams that a server and whoever stands in front of it could read differently, and plain nonsense.
const std::vector<RefusedSample>& refused_samples();

/// Those and sound ones.
std::vector<std::string> all_samples();

}  // namespace forklift
