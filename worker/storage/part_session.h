#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"
#include "worker/storage/part_file.h"

namespace forklift {

/// One store's own directory of parts, with a name no other store has, locked (flock(2)) until it is
/// destroyed or its process dies. The lock is what tells a sweeper that its parts are alive. Owned by a
/// FileStore.
class PartSession {
 public:
  /// `parts` is the directory of all sessions and must stay open as long as the session.
  static Result<PartSession> create(int parts);

  PartSession(PartSession&& other) noexcept
      : parts_(other.parts_),
        name_(std::exchange(other.name_, {})),
        directory_(std::move(other.directory_)),
        next_part_(other.next_part_.load()) {}
  PartSession& operator=(PartSession&&) = delete;
  ~PartSession();

  /// A new, empty part. Any thread.
  Result<PartFile> begin() const;

  /// A new, empty part without a name. Any thread.
  Result<PartFile> begin_unnamed() const;

 private:
  PartSession(int parts, std::string name, UniqueFd directory)
      : parts_(parts), name_(std::move(name)), directory_(std::move(directory)) {}

  int parts_;
  std::string name_;
  UniqueFd directory_;
  mutable std::atomic<std::uint64_t> next_part_{1};
};

/// Removes from the directory of all sessions the parts of sessions nobody holds, when they were last written
/// `older_than` ago or earlier, and the sessions that are empty then. Says how many parts. A part that cannot
/// be removed is left for the next sweep.
Result<std::size_t> sweep_sessions(int parts, std::chrono::milliseconds older_than);

}  // namespace forklift
