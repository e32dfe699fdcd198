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
/// (MemoryBudget). Beside it are kSmallMemoryBytes for small bodies only, so that large ones which hold all
/// the rest stop none of them; a small one that finds those taken has the rest too. What parsing adds is
/// JsonParser's, of which there is one. So a worker's JSON takes at most max(body_bytes_max,
/// kMemoryBytesMin) + body_bytes_max + kSmallMemoryBytes + 7 MiB, but for some KiB of rounding.
class JsonUploads {
 public:
  /// `body_bytes_max`: the largest body; above, kBodyTooLarge.
  JsonUploads(std::size_t body_bytes_max, Base64Choice choice,
              std::size_t memory_bytes_min = kMemoryBytesMin);

  static constexpr std::size_t kMemoryBytesMin = 64u << 20;

  /// A small body announces that it is no larger.
  static constexpr std::size_t kSmallBodyBytesMax = 1u << 20;
  static constexpr std::size_t kSmallMemoryBytes = 8u << 20;

  const std::size_t body_bytes_max;
  const Base64Codec& codec;
  MemoryBudget memory;        // of every body
  MemoryBudget small_memory;  // of small ones; asked first
  JsonParser parser;
};

}  // namespace forklift
