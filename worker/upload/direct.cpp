#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "common/errno_error.h"
#include "worker/storage/file_ops.h"
#include "worker/storage/io_ranges.h"
#include "worker/storage/retry.h"
#include "worker/upload/pool_upload.h"

namespace forklift {

namespace {

/// O_DIRECT wants addresses, offsets and lengths in multiples of the device's block; this is one of any
/// block.
constexpr std::size_t kBlockBytes = kSlabAlignment;

/// The file is allocated that far ahead of its bytes, so that a client that promises much and sends little
/// does not take the disk.
constexpr std::uint64_t kAllocatedAheadBytes = 64u << 20;

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using AlignedMemory = std::unique_ptr<std::byte, Free>;

AlignedMemory aligned_memory(std::size_t bytes) {
  return AlignedMemory(static_cast<std::byte*>(std::aligned_alloc(kBlockBytes, bytes)));
}

bool is_aligned(const std::byte* address) {
  return reinterpret_cast<std::uintptr_t>(address) % kBlockBytes == 0;
}

constexpr std::size_t whole_blocks(std::size_t bytes) { return bytes - bytes % kBlockBytes; }

Error no_direct(int os_error) {
  if (os_error == EINVAL) return {ErrorCode::kUnsupported, "O_DIRECT", os_error};
  return errno_error("O_DIRECT", os_error);
}

/// Writes whole blocks past the page cache and keeps what is less than a block until more comes; the very
/// last piece goes the ordinary way.
class DirectUpload final : public PoolUpload {
 public:
  DirectUpload(const UploadServices& services, UploadTarget target, std::optional<std::uint64_t> size)
      : PoolUpload(services, std::move(target)), size_expected_(size.value_or(0)) {}

 private:
  Result<void> prepare(PartFile& part) override {
    if (file_ops::set_direct(part.fd(), true) < 0) return no_direct(errno);
    return {};
  }

  Result<void> write(PartFile& part, std::span<const std::byte> bytes, std::uint64_t offset) override {
    if (auto allocated = allocate(part, offset + bytes.size()); !allocated) return allocated;
    offset -= rest_size_;
    std::array<iovec, 2> ranges{};
    std::size_t count = 0;
    if (rest_size_ > 0) {
      bytes = bytes.subspan(add_to_rest(bytes));
      if (rest_size_ < kBlockBytes) return {};
      ranges[count++] = {rest_.get(), kBlockBytes};
      rest_size_ = 0;
    }
    const auto blocks = bytes.first(whole_blocks(bytes.size()));
    AlignedMemory bounce;  // for bytes that came with a request's head, or out of a decoder
    const std::byte* from = blocks.data();
    if (!is_aligned(from) && !blocks.empty()) {
      bounce = aligned_memory(blocks.size());
      if (!bounce) return Error{ErrorCode::kNoMemory, "aligned_alloc", ENOMEM};
      std::memcpy(bounce.get(), from, blocks.size());
      from = bounce.get();
    }
    if (!blocks.empty()) ranges[count++] = {const_cast<std::byte*>(from), blocks.size()};
    if (auto written = write_blocks(part, {ranges.data(), count}, offset); !written) return written;
    add_to_rest(bytes.subspan(blocks.size()));
    return {};
  }

  Result<void> complete(PartFile& part, std::uint64_t size) override {
    if (!wrote_direct_) written_by("pool");
    if (rest_size_ > 0) {
      if (auto ended = end_direct(part); !ended) return ended;
      if (auto written = part.write_at({rest_.get(), rest_size_}, size - rest_size_); !written)
        return written;
    }
    if (allocated_ > size && file_ops::truncate(part.fd(), size) < 0) return errno_error("truncate");
    return {};
  }

  /// As far ahead as is known to be needed. A file system that cannot is used as it is.
  Result<void> allocate(PartFile& part, std::uint64_t end) {
    if (end <= allocated_ || end > size_expected_ || !allocates_) return {};
    const std::uint64_t wanted = std::min(size_expected_, end + kAllocatedAheadBytes);
    if (retry_eintr([&] { return file_ops::allocate(part.fd(), 0, allocated_, wanted - allocated_); }) < 0) {
      if (errno != EOPNOTSUPP && errno != ENOSYS) return errno_error("fallocate");
      allocates_ = false;
      return {};
    }
    part.took(wanted - allocated_);
    allocated_ = wanted;
    return {};
  }

  std::size_t add_to_rest(std::span<const std::byte> bytes) {
    const std::size_t added = std::min(bytes.size(), kBlockBytes - rest_size_);
    if (added == 0) return 0;
    if (!rest_) rest_ = aligned_memory(kBlockBytes);
    std::memcpy(rest_.get() + rest_size_, bytes.data(), added);
    rest_size_ += added;
    return added;
  }

  Result<void> write_blocks(PartFile& part, std::span<iovec> ranges, std::uint64_t offset) {
    while (!ranges.empty()) {
      const ssize_t written =
          retry_eintr([&] { return file_ops::write_vector_at(part.fd(), ranges, offset); });
      if (written < 0 && errno == EINVAL && direct_) {
        // Another block size, or a write cut short inside a block: correct comes before direct.
        if (auto ended = end_direct(part); !ended) return ended;
        continue;
      }
      if (written < 0) return errno_error("pwritev");
      if (written == 0) return Error{ErrorCode::kIo, "pwritev: nothing written"};
      wrote_direct_ = wrote_direct_ || direct_;
      offset += static_cast<std::uint64_t>(written);
      if (offset > allocated_) part.took(static_cast<std::uint64_t>(written));
      ranges = after(ranges, static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> end_direct(PartFile& part) {
    if (!std::exchange(direct_, false)) return {};
    if (file_ops::set_direct(part.fd(), false) < 0) return no_direct(errno);
    return {};
  }

  std::uint64_t size_expected_;  // 0: not known
  std::uint64_t allocated_ = 0;
  bool allocates_ = true;
  bool direct_ = true;
  bool wrote_direct_ = false;
  AlignedMemory rest_;  // less than a block, at the end of what came
  std::size_t rest_size_ = 0;
};

}  // namespace

Result<void> probe_direct(const FileStore& store) {
  auto part = store.begin();
  if (!part) return part.error();
  if (file_ops::set_direct(part->fd(), true) < 0) return no_direct(errno);
  const AlignedMemory block = aligned_memory(kBlockBytes);
  std::memset(block.get(), 0, kBlockBytes);
  const iovec range{block.get(), kBlockBytes};
  if (file_ops::write_vector_at(part->fd(), {&range, 1}, 0) < 0) return no_direct(errno);
  return {};
}

std::unique_ptr<BodySink> make_direct_sink(const UploadServices& services, Resumer& resumer,
                                           UploadTarget target, std::optional<std::uint64_t> size) {
  return std::make_unique<PoolSink>(services, resumer,
                                    std::make_unique<DirectUpload>(services, std::move(target), size), size,
                                    kBlockBytes);
}

}  // namespace forklift
