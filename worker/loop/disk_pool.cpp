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
  /// Jobs of one kind, first come, first served.
  struct Lane {
    std::deque<std::unique_ptr<DiskJob>> waiting;
    std::size_t at_work = 0;
    std::size_t at_work_max = 0;

    std::size_t ready() const { return std::min(waiting.size(), at_work_max - at_work); }
  };

  explicit Shared(std::size_t threads) : slow_at_work_max(std::max<std::size_t>(threads - 1, 1)) {
    lane(DiskLane::kShort).at_work_max = threads;
    lane(DiskLane::kLong).at_work_max = std::max<std::size_t>(threads / 2, 1);
    lane(DiskLane::kRead).at_work_max = std::max<std::size_t>(threads / 2, 1);
  }

  Lane& lane(DiskLane which) { return lanes[static_cast<std::size_t>(which)]; }
  std::size_t slow_at_work() { return lane(DiskLane::kLong).at_work + lane(DiskLane::kRead).at_work; }

  /// Jobs that could run now if there were threads enough.
  std::size_t ready() {
    const std::size_t slow = lane(DiskLane::kLong).ready() + lane(DiskLane::kRead).ready();
    return lane(DiskLane::kShort).waiting.size() + std::min(slow, slow_at_work_max - slow_at_work());
  }

  /// Whose turn it is: the slow ones, by turns, as far as they may. Only where a job is ready.
  Lane& next_lane() {
    if (slow_at_work() < slow_at_work_max) {
      for (int tries = 0; tries < 2; ++tries) {
        slow_turn = slow_turn == DiskLane::kLong ? DiskLane::kRead : DiskLane::kLong;
        if (lane(slow_turn).ready() > 0) return lane(slow_turn);
      }
    }
    return lane(DiskLane::kShort);
  }

  /// On a pool thread.
  void work() {
    std::unique_lock lock(mutex);
    while (ready() > 0) {
      Lane& from = next_lane();
      std::unique_ptr<DiskJob> job = std::move(from.waiting.front());
      from.waiting.pop_front();
      ++from.at_work;
      lock.unlock();
      job->run();
      lock.lock();
      --from.at_work;
      finished.push_back(std::move(job));
      if (finished.size() == 1) uv_async_send(wake.get());
    }
    if (--threads_at_work == 0) all_left.notify_all();
  }

  UvBox<uv_async_t> wake;
  std::mutex mutex;
  std::condition_variable all_left;
  std::array<Lane, kDiskLanes> lanes;
  DiskLane slow_turn = DiskLane::kLong;
  std::size_t slow_at_work_max;
  std::vector<std::unique_ptr<DiskJob>> finished;
  std::size_t threads_at_work = 0;
};

DiskPool::DiskPool(EventLoop& loop)
    : loop_(loop), threads_(pool_threads()), shared_(std::make_unique<Shared>(threads_)) {
  uv_async_t* wake = shared_->wake.get();
  const int refused = uv_async_init(loop_.raw(), wake, [](uv_async_t* handle) {
    if (handle->data != nullptr) static_cast<DiskPool*>(handle->data)->deliver();
  });
  if (refused != 0) std::abort();
  shared_->wake.opened(this);
  uv_unref(reinterpret_cast<uv_handle_t*>(wake));
}

DiskPool::~DiskPool() {
  std::unique_lock lock(shared_->mutex);
  for (Shared::Lane& lane : shared_->lanes) lane.waiting.clear();
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
  submitted_[static_cast<std::size_t>(lane)].push_back(std::move(job));
  loop_.defer(*this);
}

void DiskPool::run_deferred() {
  std::size_t wanted = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    for (std::size_t lane = 0; lane < kDiskLanes; ++lane) {
      for (auto& job : submitted_[lane]) shared_->lanes[lane].waiting.push_back(std::move(job));
      submitted_[lane].clear();
    }
    wanted = std::min(shared_->ready(), threads_ - shared_->threads_at_work);
    shared_->threads_at_work += wanted;
  }
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
