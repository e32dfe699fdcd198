#include "worker/loop/disk_pool.h"

#include <uv.h>

#include <cstdlib>
#include <utility>

#include "worker/loop/event_loop.h"

namespace forklift {

struct DiskPool::Ticket {
  uv_work_t work;
  DiskPool* pool;
  std::unique_ptr<DiskJob> job;
};

void DiskPool::submit(std::unique_ptr<DiskJob> job) {
  auto* ticket = new Ticket{{}, this, std::move(job)};
  ticket->work.data = ticket;
  ++in_flight_;
  const int refused = uv_queue_work(
      loop_.raw(), &ticket->work, [](uv_work_t* work) { static_cast<Ticket*>(work->data)->job->run(); },
      [](uv_work_t* work, int) {
        const std::unique_ptr<Ticket> done(static_cast<Ticket*>(work->data));
        --done->pool->in_flight_;
        DiskJob& finished = *done->job;
        finished.done(std::move(done->job));
      });
  if (refused != 0) std::abort();
}

}  // namespace forklift
