#include "master/launch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include "common/log.h"
#include "common/options.h"

namespace forklift {
namespace {

bool is_program(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> find_binary(const Config& config) {
  if (!config.worker_binary.empty()) {
    return is_program(config.worker_binary) ? std::optional(config.worker_binary) : std::nullopt;
  }
  std::error_code unreadable;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", unreadable).parent_path();
  for (const char* const place : {"worker", "../worker/worker", "../libexec/forklift/worker"}) {
    const std::string path = (here / place).lexically_normal().string();
    if (is_program(path)) return path;
  }
  return std::nullopt;
}

/// Its interpreter would be given the descriptor's name, which is closed by then (execve(2)).
bool is_script(int fd) {
  char start[2] = {};
  return ::pread(fd, start, sizeof start, 0) == 2 && start[0] == '#' && start[1] == '!';
}

std::vector<std::string> without_ours(const std::vector<std::string>& environment) {
  std::vector<std::string> kept;
  for (const std::string& variable : environment) {
    if (!is_our_variable(variable.substr(0, variable.find('=')))) kept.push_back(variable);
  }
  return kept;
}

}  // namespace

Result<Launch, std::string> Launch::prepare(const Config& config,
                                            const std::vector<std::string>& environment) {
  const auto path = find_binary(config);
  if (!path && !config.worker_binary.empty()) {
    return log::text("--worker-binary: ", config.worker_binary, " is no program that can be run");
  }
  if (!path) return std::string("cannot find the worker beside the master; --worker-binary can name it");
  const UniqueFd low(::open(path->c_str(), O_RDONLY | O_CLOEXEC));
  Launch launch;
  launch.binary_.reset(::fcntl(low.get(), F_DUPFD_CLOEXEC, kBinaryFdMin));
  if (!launch.binary_) {
    if (errno == EINVAL) {
      return log::text("descriptors run out: the master needs ", kBinaryFdMin + 1, " or more (ulimit -n)");
    }
    return log::text("cannot open the worker ", *path, ": ", std::generic_category().message(errno));
  }
  if (is_script(launch.binary_.get())) {
    return log::text(*path,
                     " is a script (#!): the worker is started through a descriptor, which no script can ",
                     "be; --worker-binary must name the program itself");
  }
  launch.found_at_ = *path;
  launch.arguments_ = to_arguments(config);
  launch.arguments_.insert(launch.arguments_.begin(), "worker");
  launch.environment_ = without_ours(environment);
  return launch;
}

std::string Launch::executable() const { return log::text("/proc/self/fd/", binary_.get()); }

}  // namespace forklift
