#pragma once

#include <uv.h>

#include <utility>

namespace forklift {

/// Owns one libuv handle of the master. The handle has its own allocation, freed by its close callback, so
/// that the owner may die inside the handle's own callback. `data` is the owner, and nullptr once it is
/// closed.
template <typename Handle>
class UvHandle {
 public:
  explicit UvHandle(void* owner) : handle_(new Handle{}) { handle_->data = owner; }
  UvHandle(const UvHandle&) = delete;
  UvHandle& operator=(const UvHandle&) = delete;
  ~UvHandle() { close(); }

  Handle* get() const { return handle_; }

  /// Call once the uv_*_init function has been: from then on closing is libuv's affair.
  void opened() { open_ = true; }

  void close() {
    Handle* const handle = std::exchange(handle_, nullptr);
    if (handle == nullptr) return;
    if (!open_) {
      delete handle;
      return;
    }
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }

 private:
  Handle* handle_;
  bool open_ = false;
};

/// Whose process it is that exited; nullptr: nobody's any more. libuv reaps all that have died before it
/// tells of the first, and tells of each even if hearing of the first closed it (uv__wait_children, 1.44).
template <typename Owner>
Owner* owner_of(const uv_process_t* process) {
  return static_cast<Owner*>(process->data);
}

}  // namespace forklift
