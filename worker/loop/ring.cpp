#include "worker/loop/ring.h"

#include <liburing.h>
#include <uv.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "common/errno_error.h"
#include "worker/loop/event_loop.h"
#include "worker/loop/uv_box.h"

#ifdef FORKLIFT_VALGRIND
#include <valgrind/memcheck.h>
#endif

namespace forklift {

namespace {

/// Entries of the submission queue: a batch of that many slabs is submitted before the turn ends.
constexpr unsigned kBatchMax = 64;

/// Completions that find room; beyond them the kernel keeps a list (and older ones refuse submissions).
constexpr unsigned kInFlightMax = 4096;

/// As many as the slab pool keeps.
constexpr unsigned kRegisteredMax = 32;

/// Docker's default filter says EPERM, kernels say ENOSYS or (kernel.io_uring_disabled) EPERM.
Error open_error(const char* call, int os_error) {
  if (os_error == EPERM || os_error == EACCES) return {ErrorCode::kUnsupported, call, os_error};
  return errno_error(call, os_error);
}

/// Made and tried: a filter may let a ring be made and refuse to let it be used.
Result<void> open_ring(io_uring& ring, unsigned entries, io_uring_params params) {
  if (const int opened = io_uring_queue_init_params(entries, &ring, &params); opened < 0) {
    return open_error("io_uring_setup", -opened);
  }
  io_uring_prep_nop(io_uring_get_sqe(&ring));
  int entered = -EINTR;
  while (entered == -EINTR) entered = io_uring_submit_and_wait(&ring, 1);
  if (entered < 0) {
    io_uring_queue_exit(&ring);
    return open_error("io_uring_enter", -entered);
  }
  io_uring_cq_advance(&ring, 1);
  return {};
}

}  // namespace

struct Ring::State final : private Deferred {
  explicit State(EventLoop& its_loop) : loop(its_loop) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() = default;

  EventLoop& loop;
  io_uring ring{};
  UvBox<uv_poll_t> poll;
  UvBox<uv_prepare_t> prepare;
  unsigned registered = 0;
  unsigned registered_max = kRegisteredMax;
  std::size_t in_flight = 0;

  void watch();
  int registered_as(Slab& slab);
  io_uring_sqe& next_entry();
  void queue(io_uring_sqe& entry, std::uint8_t fixed_code, const Chunk& chunk,
             std::unique_ptr<RingOperation> operation);
  void submit();
  void reap();
  void flush();

 private:
  void run_deferred() override {}  // the turn it asks for ends with a flush
};

void Ring::State::watch() {
  if (uv_poll_init(loop.raw(), poll.get(), ring.ring_fd) != 0) std::abort();
  poll.opened(this);
  uv_poll_start(poll.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    if (handle->data != nullptr) static_cast<State*>(handle->data)->reap();
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(poll.get()));
  uv_prepare_init(loop.raw(), prepare.get());
  prepare.opened(this);
  uv_prepare_start(prepare.get(), [](uv_prepare_t* handle) { static_cast<State*>(handle->data)->flush(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(prepare.get()));
}

/// -1: not registered, and cannot be.
int Ring::State::registered_as(Slab& slab) {
  if (slab.ring_index() >= 0 || registered == registered_max) return slab.ring_index();
  const iovec memory{slab.data(), kSlabBytes};
  const __u64 tag = 0;
  if (io_uring_register_buffers_update_tag(&ring, registered, &memory, &tag, 1) == 1) {
    slab.set_ring_index(static_cast<int>(registered++));
  } else {
    registered_max = registered;  // no more locked memory: the others go unregistered
  }
  return slab.ring_index();
}

io_uring_sqe& Ring::State::next_entry() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring);
  while (entry == nullptr) {
    submit();
    entry = io_uring_get_sqe(&ring);
  }
  return *entry;
}

/// `fixed_code` is what the entry does when the chunk's slab is registered.
void Ring::State::queue(io_uring_sqe& entry, std::uint8_t fixed_code, const Chunk& chunk,
                        std::unique_ptr<RingOperation> operation) {
  if (const int index = registered_as(chunk.slab()); index >= 0) {
    entry.opcode = fixed_code;
    entry.buf_index = static_cast<std::uint16_t>(index);
  }
  io_uring_sqe_set_data(&entry, operation.release());
  if (in_flight++ == 0) uv_ref(reinterpret_cast<uv_handle_t*>(poll.get()));
}

void Ring::State::submit() {
  while (io_uring_sq_ready(&ring) > 0) {
    const int submitted = io_uring_submit(&ring);
    if (submitted < 0 && submitted != -EINTR) break;
  }
}

void Ring::State::reap() {
  io_uring_cqe* completion = nullptr;
  while (in_flight > 0 && io_uring_peek_cqe(&ring, &completion) == 0) {
    std::unique_ptr<RingOperation> operation(static_cast<RingOperation*>(io_uring_cqe_get_data(completion)));
    const int result = completion->res;
    io_uring_cqe_seen(&ring, completion);
    if (--in_flight == 0) uv_unref(reinterpret_cast<uv_handle_t*>(poll.get()));
    RingOperation& done = *operation;
    done.completed(std::move(operation), result);
  }
}

/// Most operations on cached files are complete when submit returns; reaping them now saves a wake-up.
void Ring::State::flush() {
  if (io_uring_sq_ready(&ring) == 0) return;
  submit();
  reap();
  // Submitted again by a completion, or not taken (no memory, completions in the way): in the next turn.
  if (io_uring_sq_ready(&ring) > 0) loop.defer(*this);
}

Ring::Ring(std::unique_ptr<State> state) : state_(std::move(state)) {}

Ring::~Ring() {
  while (state_->in_flight > 0) {
    io_uring_submit_and_wait(&state_->ring, 1);
    state_->reap();
  }
  state_->poll.close();  // before its descriptor
  state_->prepare.close();
  io_uring_queue_exit(&state_->ring);
}

Result<std::unique_ptr<Ring>> Ring::open(EventLoop& loop) {
  auto state = std::make_unique<State>(loop);
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE;
  params.cq_entries = kInFlightMax;
  if (const auto opened = open_ring(state->ring, kBatchMax, params); !opened) return opened.error();
  if (io_uring_register_buffers_sparse(&state->ring, kRegisteredMax) < 0) state->registered_max = 0;
  state->watch();
  return std::unique_ptr<Ring>(new Ring(std::move(state)));
}

Result<void> Ring::probe() {
  io_uring ring{};
  if (const auto opened = open_ring(ring, 2, {}); !opened) return opened.error();
  io_uring_queue_exit(&ring);
  return {};
}

void Ring::write(std::unique_ptr<RingOperation> operation, int fd, const Chunk& chunk, std::size_t bytes,
                 std::uint64_t offset) {
  io_uring_sqe& entry = state_->next_entry();
  io_uring_prep_write(&entry, fd, chunk.bytes().data(), static_cast<unsigned>(bytes), offset);
  state_->queue(entry, IORING_OP_WRITE_FIXED, chunk, std::move(operation));
}

void Ring::read(std::unique_ptr<RingOperation> operation, int fd, Chunk& chunk, std::size_t bytes,
                std::uint64_t offset) {
#ifdef FORKLIFT_VALGRIND
  // It does not see what the kernel writes for a ring.
  VALGRIND_MAKE_MEM_DEFINED(chunk.mutable_bytes().data(), bytes);
#endif
  io_uring_sqe& entry = state_->next_entry();
  io_uring_prep_read(&entry, fd, chunk.mutable_bytes().data(), static_cast<unsigned>(bytes), offset);
  state_->queue(entry, IORING_OP_READ_FIXED, chunk, std::move(operation));
}

std::size_t Ring::in_flight() const { return state_->in_flight; }

}  // namespace forklift
