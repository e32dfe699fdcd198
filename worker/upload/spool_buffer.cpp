#include "worker/upload/spool_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace forklift {

std::span<std::byte> SpoolBuffer::room() {
  if (!filling_) {
    if (memory_ == nullptr || slab_bytes() + kSlabBytes > bytes_max_) return {};
    filling_ = memory_->acquire_now();
    if (!filling_) return {};
  }
  return {filling_.data() + filled_, kSlabBytes - filled_};
}

void SpoolBuffer::filled(std::size_t bytes) {
  filled_ += bytes;
  if (filled_ == 0) filling_ = SlabRef();
  if (filled_ == kSlabBytes) close_filling();
}

void SpoolBuffer::close_filling() {
  SlabRef slab = std::move(filling_);
  if (filled_ == 0) return;
  full_bytes_ += filled_;
  full_.emplace_back(std::move(slab), 0, std::exchange(filled_, 0));
}

void SpoolBuffer::append(Chunk& chunk) {
  if (bring_along(chunk)) return;
  while (!chunk.empty()) {
    const auto into = room();
    if (into.empty()) return;
    const std::size_t size = std::min(into.size(), chunk.size());
    std::memcpy(into.data(), chunk.bytes().data(), size);
    filled(size);
    chunk.drop_front(size);
  }
}

bool SpoolBuffer::bring_along(Chunk& chunk) {
  if (memory_ == nullptr || chunk.size() < kSlabBytes / 2) return false;
  const std::uint64_t slabs = full_.size() + (filled_ > 0 ? 2 : 1);
  if (slabs * kSlabBytes > bytes_max_ || !memory_->adopt(chunk.slab())) return false;
  close_filling();
  full_bytes_ += chunk.size();
  full_.push_back(std::exchange(chunk, Chunk()));
  return true;
}

std::vector<Chunk> SpoolBuffer::take() {
  close_filling();
  full_bytes_ = 0;
  return std::exchange(full_, {});
}

}  // namespace forklift
