#pragma once

#include <cstddef>
#include <cstdint>

namespace forklift {

/// One slab: the unit in which bodies are read, written and sent. A multiple of every block size O_DIRECT
/// asks for.
inline constexpr std::size_t kSlabBytes = 128 * 1024;

/// Alignment of a slab in memory (page size; O_DIRECT asks for at most this).
inline constexpr std::size_t kSlabAlignment = 4096;

/// Bytes one connection may move in one loop turn before the others get theirs.
inline constexpr std::uint64_t kBytesPerTurn = 1024 * 1024;

/// What a single client may ask of one worker. Every limit has an option (common/options) and an answer.
struct Limits {
  std::uint64_t body_bytes_max = 16ull << 30;  // a request body: 413
  std::size_t header_bytes_max = 32 * 1024;    // request line and header fields together: 431
  std::size_t header_count_max = 100;          // header fields: 431
  std::size_t target_bytes_max = 8 * 1024;     // the request target: 414
  std::size_t connections_max = 1000;          // open connections: over it, not accepted
  std::size_t json_bytes_max = 64u << 20;      // a JSON body, which is gathered in memory: 413
  std::size_t spool_bytes_max = 32u << 20;     // memory for whole bodies: over it, they go through files
  std::size_t slab_bytes_max = 32u << 20;      // memory for bodies in flight: over it, stop reading
};

}  // namespace forklift
