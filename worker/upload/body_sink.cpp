#include "worker/upload/body_sink.h"

#include <algorithm>

#include "worker/loop/socket.h"

namespace forklift {

Result<Step> BodySink::receive(Socket& socket, std::uint64_t limit) {
  SlabRef slab = services_.slabs.acquire(resumer_);
  if (!slab) return Step{Flow::kWaitDisk, 0};
  const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit, kSlabBytes));
  const Result<Io> io = socket.receive({slab.data(), bytes_max});
  if (!io) return io.error();
  if (io->state == Io::State::kWouldBlock) return Step{Flow::kWaitReadable, 0};
  if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
  const Result<Flow> flow = write(Chunk(std::move(slab), 0, io->bytes));
  if (!flow) return flow.error();
  return Step{*flow, io->bytes};
}

}  // namespace forklift
