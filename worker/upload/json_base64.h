#pragma once

#include <cstddef>

#include "worker/upload/base64.h"
#include "worker/upload/json_document.h"
#include "worker/upload/memory_budget.h"

namespace forklift {

/// What the JSON sinks of one worker share. Owned by the worker's main; outlives every sink.
class JsonUploads {
 public:
  /// `body_bytes_max`: the largest body; above, kBodyTooLarge. All bodies together get that much memory, and
  /// at least kMemoryBytesMin; a chunked one reserves the most it may become.
  JsonUploads(std::size_t body_bytes_max, Base64Choice choice);

  static constexpr std::size_t kMemoryBytesMin = 64u << 20;

  const std::size_t body_bytes_max;
  const Base64Codec& codec;
  MemoryBudget memory;
  JsonParser parser;  // of bodies that are parsed on the loop thread
};

}  // namespace forklift
