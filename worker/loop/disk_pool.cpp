#include "worker/loop/disk_pool.h"

#include <uv.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "common/errno_error.h"
#include "worker/loop/uv_box.h"

namespace forklift {

namespace {

/// As many as libuv starts.
std::size_t pool_threads() {
  const char* text = std::getenv("UV_THREADPOOL_SIZE");
  return text == nullptr ? 4 : static_cast<std::size_t>(std::clamp(std::atoi(text), 1, 1024));
}

}  // namespace

/// What the loop thread and the pool's threads both touch.
struct DiskPool::Shared {
  UvBox<uv_async_t> wake;
  std::mutex mutex;
  std::condition_variable all_left;
  std::deque<std::unique_ptr<DiskJob>> waiting;
  std::deque<std::unique_ptr<DiskJob>> waiting_long;
  std::vector<std::unique_ptr<DiskJob>> finished;
  std::size_t threads_at_work = 0;
  std::size_t long_at_work = 0;
  std::size_t long_at_work_max = 0;

  /// Jobs that could run now if there were threads enough.
  std::size_t ready() const {
    return waiting.size() + std::min(waiting_long.size(), long_at_work_max - long_at_work);
  }

  /// On a pool thread.
  void work() {
    std::unique_lock lock(mutex);
    while (ready() > 0) {
      const bool is_long = !waiting_long.empty() && long_at_work < long_at_work_max;
      auto& from = is_long ? waiting_long : waiting;
      std::unique_ptr<DiskJob> job = std::move(from.front());
      from.pop_front();
      if (is_long) ++long_at_work;
      lock.unlock();
      job->run();
      lock.lock();
      if (is_long) --long_at_work;
      finished.push_back(std::move(job));
      if (finished.size() == 1) uv_async_send(wake.get());
    }
    if (--threads_at_work == 0) all_left.notify_all();
  }
};

DiskPool::DiskPool(EventLoop& loop)
    : loop_(loop), threads_(pool_threads()), shared_(std::make_unique<Shared>()) {
  uv_async_t* wake = shared_->wake.get();
  const int refused = uv_async_init(loop_.raw(), wake, [](uv_async_t* handle) {
    if (handle->data != nullptr) static_cast<DiskPool*>(handle->data)->deliver();
  });
  if (refused != 0) std::abort();
  shared_->long_at_work_max = std::max<std::size_t>(threads_ / 2, 1);
  shared_->wake.opened(this);
  uv_unref(reinterpret_cast<uv_handle_t*>(wake));
}

DiskPool::~DiskPool() {
  std::unique_lock lock(shared_->mutex);
  shared_->waiting.clear();
  shared_->waiting_long.clear();
  shared_->all_left.wait(lock, [this] { return shared_->threads_at_work == 0; });
}

Result<void> DiskPool::start() {
  std::mutex together;
  std::vector<std::thread> threads;
  Result<void> all;
  {
    const std::lock_guard until_all_run(together);
    try {
      while (threads.size() < threads_)
        threads.emplace_back([&together] { together.lock(), together.unlock(); });
    } catch (const std::system_error& error) {
      all = errno_error("pthread_create", error.code().value());
    }
  }
  for (std::thread& thread : threads) thread.join();
  if (all) {
    ++shared_->threads_at_work;
    start_thread();
  }
  return all;
}

void DiskPool::submit(std::unique_ptr<DiskJob> job, DiskLane lane) {
  if (in_flight_++ == 0) uv_ref(reinterpret_cast<uv_handle_t*>(shared_->wake.get()));
  (lane == DiskLane::kLong ? submitted_long_ : submitted_).push_back(std::move(job));
  loop_.defer(*this);
}

void DiskPool::run_deferred() {
  std::size_t wanted = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    for (auto& job : submitted_) shared_->waiting.push_back(std::move(job));
    for (auto& job : submitted_long_) shared_->waiting_long.push_back(std::move(job));
    wanted = std::min(shared_->ready(), threads_ - shared_->threads_at_work);
    shared_->threads_at_work += wanted;
  }
  submitted_.clear();
  submitted_long_.clear();
  while (wanted-- > 0) start_thread();
}

void DiskPool::start_thread() {
  auto* work = new uv_work_t;
  work->data = shared_.get();
  const int refused = uv_queue_work(
      loop_.raw(), work, [](uv_work_t* started) { static_cast<Shared*>(started->data)->work(); },
      [](uv_work_t* over, int) { delete over; });
  if (refused != 0) std::abort();
}

void DiskPool::deliver() {
  std::vector<std::unique_ptr<DiskJob>> finished;
  {
    const std::lock_guard lock(shared_->mutex);
    finished.swap(shared_->finished);
  }
  in_flight_ -= finished.size();
  if (in_flight_ == 0) uv_unref(reinterpret_cast<uv_handle_t*>(shared_->wake.get()));
  for (auto& job : finished) {
    DiskJob& done = *job;
    done.done(std::move(job));
  }
}

}  // namespace forklift
