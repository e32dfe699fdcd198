#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "worker/upload/body_sink.h"

namespace forklift {

/// Keeps of the files it is told of the newest `files_max` and removes the older ones on the disk pool, in
/// batches: one job at a time, so removals never crowd out uploads; what waits meanwhile goes with the next.
/// So a benchmark does not fill the disk. The files of one
/// form count one by one, also against each other. Names are fresh and files are never replaced or truncated,
/// which ext4 would answer with a flush; but an ext4 without a journal also avoids inodes deleted lately, and
/// scanning past them costs up to a millisecond a file: measure there with a new file system, or keep all.
/// Owned by the worker's main, told by its connections; loop thread only. It knows only what this worker made
/// since it started.
class Keeper {
 public:
  /// `files_max` 0: keeps all.
  Keeper(const FileStore& store, DiskPool& disk, std::size_t files_max)
      : store_(store), disk_(disk), files_max_(files_max) {}
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper();

  void published(const Stored& stored);

  /// Of a form: every file.
  void published(const FormContent& form);

 private:
  class Job;
  void remove_oldest();

  const FileStore& store_;
  DiskPool& disk_;
  std::size_t files_max_;
  std::deque<std::string> files_;  // the oldest first
  Job* in_flight_ = nullptr;
};

}  // namespace forklift
