#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/retry.h"
#include "worker/upload/blocking.h"
#include "worker/upload/spool_sink.h"

namespace forklift {

namespace {

/// What one body may have of the spool memory, as Python's SpooledTemporaryFile in Starlette's forms.
constexpr std::uint64_t kInMemoryMax = 1024 * 1024;

/// Everything twice, on the loop thread: first into the spool, in memory or in a file without a name, and
/// when all has come from there into the part.
class SpooledSink final : public BodySink {
 public:
  SpooledSink(const UploadServices& services, Resumer& resumer, UploadTarget target)
      : BodySink(services, resumer),
        claim_(target.claim),
        in_memory_(services.spool, kInMemoryMax),
        copy_(services, resumer, std::move(target)) {}

  Result<Flow> write(Chunk chunk) override {
    size_ += chunk.size();
    if (!file_) in_memory_.append(chunk);
    if (chunk.empty()) return Flow::kMore;
    if (auto rolled = roll_over(); !rolled) return rolled.error();
    if (auto written = file_->write(chunk.bytes()); !written) return written.error();
    return Flow::kMore;
  }

  Result<Step> receive(Socket& socket, std::uint64_t limit) override {
    const auto room = file_ ? std::span<std::byte>() : in_memory_.room();
    if (room.empty()) return BodySink::receive(socket, limit);
    auto step = receive_into(in_memory_, room, socket, limit);
    if (step) size_ += step->bytes;
    return step;
  }

  Result<Flow> finish() override {
    for (const Chunk& chunk : in_memory_.take()) {
      if (auto copied = copy_.write(chunk); !copied) return copied;
      copied_ += chunk.size();
    }
    return file_ ? finish_from_file() : copy_.finish();
  }

  const Stored& stored() const override { return copy_.stored(); }

 private:
  Result<void> roll_over() {
    if (file_) return {};
    auto file = services_.store.begin_unnamed();
    if (!file) return file.error();
    file_.emplace(*std::move(file));
    file_->charge(claim_);
    for (const Chunk& chunk : in_memory_.take()) {
      if (auto written = file_->write(chunk.bytes()); !written) return written;
    }
    return {};
  }

  Result<Flow> finish_from_file() {
    const std::uint64_t until = std::min(size_, copied_ + kBytesPerTurn);
    while (copied_ < until) {
      SlabRef slab = services_.slabs.acquire(resumer_);
      if (!slab) return Flow::kWaitDisk;
      const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(until - copied_, kSlabBytes));
      const auto read = read_spool({slab.data(), bytes_max});
      if (!read) return read.error();
      if (auto copied = copy_.write(Chunk(std::move(slab), 0, *read)); !copied) return copied;
      copied_ += *read;
    }
    if (copied_ == size_) return copy_.finish();
    resumer_.resume();  // the other connections get their turn
    return Flow::kWaitDisk;
  }

  Result<std::size_t> read_spool(std::span<std::byte> into) {
    const ssize_t bytes = retry_eintr([&] { return file_ops::read_at(file_->fd(), into, copied_); });
    if (bytes < 0) return errno_error("read spool");
    if (bytes == 0) return Error{ErrorCode::kIo, "read spool: too short"};
    return static_cast<std::size_t>(bytes);
  }

  std::shared_ptr<SpaceClaim> claim_;
  SpoolBuffer in_memory_;
  std::optional<PartFile> file_;  // once memory is spent
  std::uint64_t size_ = 0;
  std::uint64_t copied_ = 0;
  BlockingSink copy_;
};

}  // namespace

std::unique_ptr<BodySink> make_spool_sink(const UploadServices& services, Resumer& resumer,
                                          UploadTarget target, std::optional<std::uint64_t>) {
  return std::make_unique<SpooledSink>(services, resumer, std::move(target));
}

}  // namespace forklift
