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
  const std::uint64_t left = left_of(file_->size);
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

OffLoopSource::~OffLoopSource() {
  if (in_flight_ != nullptr) in_flight_->source_ = nullptr;
}

Result<Flow> OffLoopSource::read(std::size_t bytes_max) {
  if (in_flight_ != nullptr) return Flow::kWaitDisk;
  if (!arrived_) return arrived_.error();
  if (!arrived_->empty()) {
    unsent_ = std::exchange(*arrived_, Chunk());
    return Flow::kMore;
  }
  SlabRef slab = services_.slabs.acquire(resumer_);
  if (!slab) return Flow::kWaitDisk;
  if (auto started = start_read(Chunk(std::move(slab), 0, bytes_max)); !started) return started.error();
  return Flow::kWaitDisk;
}

void OffLoopSource::have_read(Result<std::size_t> bytes, const Chunk& into) {
  in_flight_ = nullptr;
  if (bytes && *bytes == 0) bytes = became_shorter();
  arrived_ = bytes ? Result<Chunk>(into.slice(0, *bytes)) : bytes.error();
  resumer_.resume();
}

SlabRead::SlabRead(OffLoopSource& source, Chunk into)
    : source_(&source), file_(source.file_), into_(std::move(into)), offset_(source.offset_) {
  source.in_flight_ = this;
}

void SlabRead::through(Result<std::size_t> bytes) {
  if (source_ != nullptr) source_->have_read(std::move(bytes), into_);
}

}  // namespace forklift
