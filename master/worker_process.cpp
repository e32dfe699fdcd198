#include "master/worker_process.h"

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "common/errno_error.h"
#include "common/log.h"
#include "master/exec_vector.h"

namespace forklift {
namespace {

/// Descriptors 0, 1, 2 of a worker, then `descriptors` from 3 on.
std::vector<uv_stdio_container_t> stdio_of(const std::vector<int>& descriptors) {
  std::vector<uv_stdio_container_t> stdio(3 + descriptors.size());
  stdio[0].flags = UV_IGNORE;
  for (std::size_t fd = 1; fd < stdio.size(); ++fd) {
    stdio[fd].flags = UV_INHERIT_FD;
    stdio[fd].data.fd = fd < 3 ? static_cast<int>(fd) : descriptors[fd - 3];
  }
  return stdio;
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(uv_loop_t& loop, WorkerId id, int slot,
                                                            Generation generation, const Launch& launch,
                                                            const std::vector<int>& listeners,
                                                            ScoreboardPool& pool, WorkerObserver& observer) {
  auto scoreboard = pool.take();
  if (!scoreboard) return scoreboard.error();
  const int region = scoreboard->region();
  auto channel = make_channel();
  if (!channel) return channel.error();
  static_assert(kChannelFd == 3 && kScoreboardFd == 4 && kFleetFd == 5 && kFirstListenerFd == 6);
  std::vector<int> descriptors{channel->second.get(), pool.writable_fd(), pool.read_only_fd()};
  descriptors.insert(descriptors.end(), listeners.begin(), listeners.end());
  std::unique_ptr<WorkerProcess> worker(
      new WorkerProcess(id, *std::move(scoreboard), std::move(channel->first), observer));
  if (auto listening = worker->listen(loop); !listening) return listening.error();
  const Inheritance inheritance{slot, generation, static_cast<int>(listeners.size()), region};
  auto spawned = worker->spawn(loop, inheritance, launch, std::move(descriptors));
  if (!spawned) return spawned.error();
  return worker;
}

WorkerProcess::WorkerProcess(WorkerId id, ScoreboardLease scoreboard, UniqueFd channel,
                             WorkerObserver& observer)
    : id_(id),
      scoreboard_(std::move(scoreboard)),
      channel_(std::move(channel)),
      observer_(observer),
      process_(this),
      readable_(this) {}

Result<void> WorkerProcess::spawn(uv_loop_t& loop, const Inheritance& inheritance, const Launch& launch,
                                  std::vector<int> descriptors) {
  std::vector<std::string> environment = launch.environment();
  environment.push_back(log::text(kInheritVariable, '=', format_inheritance(inheritance)));
  const std::string executable = launch.executable();
  std::vector<char*> arguments = pointers_to(launch.arguments());
  std::vector<char*> variables = pointers_to(environment);
  std::vector<uv_stdio_container_t> stdio = stdio_of(descriptors);
  if (stdio.size() > static_cast<std::size_t>(Launch::kBinaryFdMin))
    return errno_error("pass descriptors", EMFILE);

  uv_process_options_t options{};
  options.file = executable.c_str();
  options.args = arguments.data();
  options.env = variables.data();
  options.stdio = stdio.data();
  options.stdio_count = static_cast<int>(stdio.size());
  // A session of its own: Ctrl-C in a terminal reaches the master alone, which decides for all.
  options.flags = UV_PROCESS_DETACHED;
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    auto* const self = owner_of<WorkerProcess>(process);
    if (self != nullptr) self->observer_.worker_exited(self->id_, Ending{status, signal});
  };
  const int problem = uv_spawn(&loop, process_.get(), &options);
  process_.opened();
  if (problem != 0) return errno_error("start the worker", -problem);
  return {};
}

Result<void> WorkerProcess::listen(uv_loop_t& loop) {
  int problem = uv_poll_init(&loop, readable_.get(), channel_.get());
  if (problem != 0) return errno_error("watch the channel", -problem);
  readable_.opened();
  problem = uv_poll_start(readable_.get(), UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<WorkerProcess*>(poll->data)->receive();
  });
  if (problem != 0) return errno_error("watch the channel", -problem);
  return {};
}

/// One message a call, so that a worker that floods its channel cannot hold up the others.
void WorkerProcess::receive() {
  const auto message = receive_message(channel_.get());
  if (message && !message->has_value()) return;
  if (message) return observer_.worker_said(id_, **message);
  uv_poll_stop(readable_.get());
  if (message.error().os_error == EPROTO) return observer_.worker_babbled(id_);
  observer_.worker_hung_up(id_);
}

void WorkerProcess::tell(Message message) {
  if (const auto sent = send_message(channel_.get(), message); !sent) {
    log::debug("worker ", id_, " does not take messages");
  }
}

bool WorkerProcess::is_in_the_kernel() const {
  std::ifstream stat("/proc/" + std::to_string(pid()) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(stat), {}};
  const auto name_end = text.rfind(')');  // a name may hold anything
  return name_end != std::string::npos && name_end + 2 < text.size() && text[name_end + 2] == 'D';
}

void WorkerProcess::kill(int signal) { (void)uv_process_kill(process_.get(), signal); }

}  // namespace forklift
