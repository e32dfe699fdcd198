#include "worker/download/slab_source.h"

#include <algorithm>

#include "worker/loop/socket.h"

namespace forklift {

Result<Flow> SlabSource::open() {
  auto file = open_target(services_, target_);
  if (!file) return file.error();
  file_ = std::make_shared<OpenedFile>(*std::move(file));
  return Flow::kDone;
}

Result<Step> SlabSource::send(Socket& socket, std::uint64_t limit) {
  const std::uint64_t left = file_->size - offset_;
  if (unsent_.empty()) {
    const auto wanted = std::min({limit, left, std::uint64_t{kSlabBytes}});
    const Result<Flow> flow = read(static_cast<std::size_t>(wanted));
    if (!flow) return flow.error();
    if (*flow != Flow::kMore) return Step{*flow, 0};
  }
  const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit, unsent_.size()));
  const Result<Io> io = socket.send(unsent_.bytes().first(bytes_max), bytes_max < left);
  if (!io) return io.error();
  if (io->state == Io::State::kWouldBlock) {
    // A client that reads slowly keeps no slab when slabs are short: its bytes are read again.
    if (!services_.slabs.plentiful()) unsent_ = Chunk();
    return Step{Flow::kWaitWritable, 0};
  }
  unsent_.drop_front(io->bytes);
  offset_ += io->bytes;
  return Step{io->bytes == left ? Flow::kDone : Flow::kMore, io->bytes};
}

}  // namespace forklift
