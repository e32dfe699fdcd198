#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

class SpaceClaim;

/// An upload that nobody can see yet: an open file in the store's private directory. Made by
/// FileStore::begin, owned by one sink (or by its job on the disk pool), used by one thread at a time. Ends
/// by FileStore::publish or by destruction, which unlinks it without a trace. The FileStore must outlive it.
class PartFile {
 public:
  PartFile(UniqueFd fd, int directory, std::string name)
      : fd_(std::move(fd)), directory_(directory), name_(std::move(name)) {}
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&& other) noexcept;
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() { discard(); }

  /// Open for reading and writing; its offset is the caller's. Closed by publish, discard or destruction.
  int fd() const { return fd_.get(); }

  /// Relative to the directory of the store's parts; empty once published, hidden or discarded.
  const std::string& name() const { return name_; }

  /// What is written from now on is taken from this claim; nullptr: from none.
  void charge(std::shared_ptr<SpaceClaim> claim) { claim_ = std::move(claim); }

  /// So much of the disk was taken by other means than write().
  void took(std::uint64_t bytes);

  /// Writes all of it at the file's offset, or at `offset`: short writes go on, EINTR is repeated.
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> write(std::span<iovec> ranges);  // uses `ranges` up
  Result<void> write_at(std::span<const std::byte> bytes, std::uint64_t offset);

  /// Takes its name away: it goes with its descriptor, also when the process dies.
  Result<void> hide();

  /// Throws the upload away now. Does nothing when it has been published or discarded.
  void discard();

 private:
  friend class FileStore;
  friend class Publication;

  UniqueFd fd_;
  int directory_ = -1;
  std::string name_;
  std::shared_ptr<SpaceClaim> claim_;
};

}  // namespace forklift
