#pragma once

#include <uv.h>

#include <utility>

namespace forklift {

/// Owns one libuv handle (lifetime rule 1). The handle has its own allocation, which its close callback
/// frees: so the owner may die at any time, also inside the handle's own callback, and no callback follows.
/// `data` is the owner's; libuv's view of it is cut when the box goes.
template <typename Handle>
class UvBox {
 public:
  UvBox() : handle_(new Handle{}) {}
  UvBox(const UvBox&) = delete;
  UvBox& operator=(const UvBox&) = delete;
  ~UvBox() { close(); }

  Handle* get() const { return handle_; }

  /// To be called once the uv_*_init function has succeeded; before that the box frees plain memory.
  void opened(void* owner) {
    handle_->data = owner;
    open_ = true;
  }

  void close() {
    Handle* handle = std::exchange(handle_, nullptr);
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

}  // namespace forklift
