#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "common/result.h"
#include "worker/loop/chunk.h"
#include "worker/loop/flow.h"
#include "worker/storage/file_store.h"

namespace forklift {

class DiskPool;
class PageCache;
class Ring;
class Socket;

/// What every source of one worker works with. Owned by the worker's main; outlives every source.
struct DownloadServices {
  const FileStore& store;
  DiskPool& disk;
  SlabPool& slabs;
  PageCache& pages;
  std::string sample;    // path of the file that downloads without a name get; empty: none
  Ring* ring = nullptr;  // nullptr: no io_uring here
};

/// What to send.
struct DownloadTarget {
  std::string name;
  bool sample = false;  // the sample instead; `name` is empty
};

/// Blocks; on any thread.
inline Result<OpenedFile> open_target(const DownloadServices& services, const DownloadTarget& target) {
  return target.sample ? FileStore::open_path(services.sample) : services.store.open_file(target.name);
}

/// Gives one response body, in order, one step at a time: the mirror of BodySink. A connection owns its
/// source and may destroy it at any time. Loop thread only.
///
/// The caller calls open() until kDone, sends the head that file() describes, then calls send() until every
/// byte is out; or selects a range first, and perhaps another one after that.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// Opens the file. kDone or kWaitDisk (then again after resume()).
  virtual Result<Flow> open() = 0;

  /// What was opened. Only after open() said kDone.
  virtual const OpenedFile& file() const = 0;

  /// What send() gives from now on: `size` (> 0) bytes from `offset` on, all of them in the file as it was
  /// opened. Without it, the whole file. Only after open() said kDone, before the first send() or after one
  /// that said kDone.
  void select(std::uint64_t offset, std::uint64_t size) {
    offset_ = offset;
    end_ = offset + size;
  }

  /// Moves at most `limit` (> 0) bytes into the socket. `bytes` are those the socket took; kDone with the
  /// last of what was selected. A file that has become shorter than file() said is the error kIo: the
  /// connection must break, never pad.
  virtual Result<Step> send(Socket& socket, std::uint64_t limit) = 0;

 protected:
  BodySource(const DownloadServices& services, Resumer& resumer) : services_(services), resumer_(resumer) {}

  /// Bytes that the socket has not taken yet, of a file of `size` bytes.
  std::uint64_t left_of(std::uint64_t size) const { return std::min(end_, size) - offset_; }

  const DownloadServices& services_;
  Resumer& resumer_;
  std::uint64_t offset_ = 0;  // of the file: the first byte the socket has not taken

 private:
  std::uint64_t end_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace forklift
