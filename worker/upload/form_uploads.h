#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "worker/loop/chunk.h"

namespace forklift {

/// What the forms of one worker share. Owned by the worker's main; outlives every form sink. Loop thread
/// only.
///
/// A form's files are all open until the form has come whole, so that a few clients could take every
/// descriptor of the worker: forms have a share of them, and the other requests the rest.
class FormUploads {
 public:
  explicit FormUploads(std::size_t files_max) : open_files_max(files_max) {}
  FormUploads(const FormUploads&) = delete;
  FormUploads& operator=(const FormUploads&) = delete;

  /// A quarter of the descriptors this process may have now (RLIMIT_NOFILE, getrlimit(2)), at least one. A
  /// strategy that spools may take two for a file.
  static std::size_t open_files_max_here();

  /// The right to have one file open; given back when it goes.
  class OpenFile {
   public:
    OpenFile(OpenFile&& other) noexcept : uploads_(std::exchange(other.uploads_, nullptr)) {}
    OpenFile& operator=(OpenFile other) noexcept {
      std::swap(uploads_, other.uploads_);
      return *this;
    }
    ~OpenFile() {
      if (uploads_ != nullptr) --uploads_->open_files_;
    }

   private:
    friend class FormUploads;
    explicit OpenFile(FormUploads& uploads) : uploads_(&uploads) { ++uploads.open_files_; }
    FormUploads* uploads_;
  };

  /// Empty when the forms have as many files open as they may.
  std::optional<OpenFile> open_file();

  std::size_t open_files() const { return open_files_; }

  const std::size_t open_files_max;

  /// For the few bytes that a form must write while its connection has a slab already. Who has one of these
  /// waits for nothing but the disk, so that waiting for one ends, whatever the other pools have left.
  SlabPool scraps{2 * kSlabBytes};

 private:
  std::size_t open_files_ = 0;
};

}  // namespace forklift
