#include "worker/upload/spool_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace forklift {

std::span<std::byte> SpoolBuffer::room() {
  if (!filling_) {
    if (memory_ == nullptr || size() + kSlabBytes > bytes_max_) return {};
    filling_ = memory_->acquire_now();
    if (!filling_) return {};
  }
  return {filling_.data() + filled_, kSlabBytes - filled_};
}

void SpoolBuffer::filled(std::size_t bytes) {
  filled_ += bytes;
  if (filled_ == 0) filling_ = SlabRef();
  if (filled_ < kSlabBytes) return;
  full_.emplace_back(std::move(filling_), 0, kSlabBytes);
  filled_ = 0;
}

void SpoolBuffer::append(Chunk& chunk) {
  while (!chunk.empty()) {
    const auto into = room();
    if (into.empty()) return;
    const std::size_t size = std::min(into.size(), chunk.size());
    std::memcpy(into.data(), chunk.bytes().data(), size);
    filled(size);
    chunk.drop_front(size);
  }
}

std::vector<Chunk> SpoolBuffer::take() {
  if (filled_ > 0) full_.emplace_back(std::move(filling_), 0, filled_);
  filling_ = SlabRef();
  filled_ = 0;
  return std::exchange(full_, {});
}

}  // namespace forklift
