#include "worker/upload/spool_sink.h"

#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "worker/loop/socket.h"

namespace forklift {

namespace {

std::uint64_t bytes_max_of(const UploadServices& services) {
  return services.spool == nullptr ? 0 : services.spool->bytes_max();
}

}  // namespace

Result<Step> receive_into(SpoolBuffer& buffer, std::span<std::byte> room, Socket& socket,
                          std::uint64_t limit) {
  const Result<Io> io = socket.receive(room.first(std::min<std::uint64_t>(room.size(), limit)));
  if (!io) return io.error();
  if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
  // A client that is slow to begin keeps no slab from the others.
  buffer.filled(io->bytes);
  return Step{io->state == Io::State::kMoved ? Flow::kMore : Flow::kWaitReadable, io->bytes};
}

SpoolSink::SpoolSink(const UploadServices& services, Resumer& resumer, std::unique_ptr<PoolUpload> upload,
                     std::optional<std::uint64_t> size)
    : PoolSink(services, resumer, std::move(upload)),
      gathered_(services.spool, bytes_max_of(services)),
      spilled_(size.value_or(0) > bytes_max_of(services)) {
  if (spilled_) upload_->written_by("pool");
}

Result<Flow> SpoolSink::write(Chunk chunk) {
  if (!spilled_) {
    gathered_.append(chunk);
    if (chunk.empty()) return Flow::kMore;
    spill();
  }
  return PoolSink::write(std::move(chunk));
}

Result<Step> SpoolSink::receive(Socket& socket, std::uint64_t limit) {
  if (!spilled_) {
    const auto room = gathered_.room();
    if (!room.empty()) return receive_into(gathered_, room, socket, limit);
    spill();
  }
  return PoolSink::receive(socket, limit);
}

Result<Flow> SpoolSink::finish() {
  enqueue(gathered_.take());
  return PoolSink::finish();
}

void SpoolSink::spill() {
  spilled_ = true;
  upload_->written_by("pool");
  enqueue(gathered_.take());
  submit_waiting();
}

Result<void> VectorUpload::write_all(PartFile& part, std::span<const Chunk> chunks) {
  std::vector<iovec> ranges;
  std::uint64_t bytes = 0;
  for (const Chunk& chunk : chunks) {
    ranges.push_back({const_cast<std::byte*>(chunk.bytes().data()), chunk.size()});
    bytes += chunk.size();
  }
  if (auto written = part.write(ranges); !written) return written;
  wrote(bytes);
  return {};
}

}  // namespace forklift
