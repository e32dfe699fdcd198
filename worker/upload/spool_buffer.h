#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "worker/loop/chunk.h"

namespace forklift {

/// One body's share of the worker's spool memory: its bytes in order, in recycled slabs. It never waits for
/// memory; whoever fills it takes the bytes elsewhere when there is none left. Owned by a sink; loop thread
/// only, but what take() gave may be read elsewhere.
class SpoolBuffer {
 public:
  /// `memory` may be nullptr: then there is never room. At most `bytes_max` (whole slabs) are held.
  SpoolBuffer(SlabPool* memory, std::uint64_t bytes_max) : memory_(memory), bytes_max_(bytes_max) {}

  /// Where the next bytes go; empty: this body's share or the worker's memory is spent.
  std::span<std::byte> room();

  /// That many bytes are in room() now. With 0 a slab that holds nothing goes back.
  void filled(std::size_t bytes);

  /// Takes from the front of `chunk` what there is room for, and drops that from it. Where it fills its slab
  /// well enough it brings the slab along, else it is copied.
  void append(Chunk& chunk);

  /// Everything, in order; this is empty then.
  std::vector<Chunk> take();

  std::uint64_t size() const { return full_bytes_ + filled_; }

 private:
  std::uint64_t slab_bytes() const { return full_.size() * kSlabBytes; }
  void close_filling();
  bool bring_along(Chunk& chunk);

  SlabPool* memory_;
  std::uint64_t bytes_max_;
  std::vector<Chunk> full_;
  std::uint64_t full_bytes_ = 0;
  SlabRef filling_;
  std::size_t filled_ = 0;  // of filling_
};

}  // namespace forklift
