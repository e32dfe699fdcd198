#pragma once

#include <cstddef>

#include "worker/upload/base64.h"
#include "worker/upload/json_document.h"
#include "worker/upload/memory_budget.h"

namespace forklift {

/// What the JSON sinks of one worker share, and all the memory they have for bodies. Owned by the worker's
/// main; outlives every sink.
///
/// Bodies are gathered in buffers that grow with what comes. All together they may have as much as the
/// largest body, and at least kMemoryBytesMin; one at a time may overdraw that by another largest body
/// (MemoryBudget). What parsing adds is JsonParser's, of which there is one. So a worker's JSON takes at most
/// max(body_bytes_max, kMemoryBytesMin) + body_bytes_max + 7 MiB, but for some KiB of rounding.
class JsonUploads {
 public:
  /// `body_bytes_max`: the largest body; above, kBodyTooLarge.
  JsonUploads(std::size_t body_bytes_max, Base64Choice choice,
              std::size_t memory_bytes_min = kMemoryBytesMin);

  static constexpr std::size_t kMemoryBytesMin = 64u << 20;

  const std::size_t body_bytes_max;
  const Base64Codec& codec;
  MemoryBudget memory;
  JsonParser parser;
};

}  // namespace forklift
