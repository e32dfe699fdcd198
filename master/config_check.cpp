#include "master/config_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include "common/errno_error.h"
#include "common/log.h"
#include "master/exec_vector.h"

namespace forklift {

Result<std::unique_ptr<ConfigCheck>> ConfigCheck::start(uv_loop_t& loop, const Launch& launch,
                                                        const std::vector<std::string>& arguments,
                                                        const std::vector<std::string>& environment,
                                                        ConfigCheckObserver& observer) {
  int ends[2];
  // Non-blocking: who writes more than a pipe holds loses the rest, and waits for nobody.
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("pipe");
  const UniqueFd theirs(ends[1]);
  std::unique_ptr<ConfigCheck> check(new ConfigCheck(UniqueFd(ends[0]), observer));
  std::vector<std::string> command{"worker"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.emplace_back("--check-config");
  const std::string executable = launch.executable();
  std::vector<char*> words = pointers_to(command);
  std::vector<char*> variables = pointers_to(environment);
  std::array<uv_stdio_container_t, 3> stdio{};
  stdio[0].flags = stdio[1].flags = UV_IGNORE;
  stdio[2].flags = UV_INHERIT_FD;
  stdio[2].data.fd = theirs.get();

  uv_process_options_t options{};
  options.file = executable.c_str();
  options.args = words.data();
  options.env = variables.data();
  options.stdio = stdio.data();
  options.stdio_count = static_cast<int>(stdio.size());
  options.flags = UV_PROCESS_DETACHED;
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    if (auto* const self = owner_of<ConfigCheck>(process)) self->exited(status, signal);
  };
  const int problem = uv_spawn(&loop, check->process_.get(), &options);
  check->process_.opened();
  if (problem != 0) return errno_error("start worker --check-config", -problem);
  check->running_ = true;
  uv_timer_init(&loop, check->deadline_.get());
  check->deadline_.opened();
  const auto late = [](uv_timer_t* timer) {
    static_cast<ConfigCheck*>(timer->data)->observer_.config_checked("its check did not end in time");
  };
  uv_timer_start(check->deadline_.get(), late, static_cast<std::uint64_t>(kDeadline.count()), 0);
  return check;
}

ConfigCheck::ConfigCheck(UniqueFd errors, ConfigCheckObserver& observer)
    : observer_(observer), errors_(std::move(errors)), process_(this), deadline_(this) {}

ConfigCheck::~ConfigCheck() {
  // Nobody waits for it here: the master reaps whoever is not a worker (Supervisor::reap_strangers).
  if (running_) (void)uv_process_kill(process_.get(), SIGKILL);
}

void ConfigCheck::exited(std::int64_t status, int signal) {
  running_ = false;
  if (status == 0 && signal == 0) return observer_.config_checked(std::nullopt);
  std::string problem = last_error();
  if (signal != 0) problem = log::text("its check was killed by SIG", ::sigabbrev_np(signal));
  if (problem.empty()) problem = log::text("its check exited with status ", status);
  observer_.config_checked(std::move(problem));
}

/// The last line that the process had to say.
std::string ConfigCheck::last_error() const {
  std::string text;
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = ::read(errors_.get(), block.data(), block.size());
    if (got <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace forklift
