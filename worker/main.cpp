#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "common/listener.h"
#include "common/log.h"
#include "common/options.h"
#include "common/pid_file.h"
#include "common/privileges.h"
#include "worker/http/access_log.h"
#include "worker/lifecycle.h"
#include "worker/loop/disk_pool.h"
#include "worker/routes/table.h"
#include "worker/upload/sweeper.h"

namespace forklift {
namespace {

/// The signals of a terminal or meant for the master; a worker minds its channel instead.
void ignore_signals_of_others(bool alone) {
  for (const int signal : {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH}) {
    std::signal(signal, SIG_IGN);
  }
  if (alone) return;
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
}

/// What main was started with: by a master, or alone.
struct Ground {
  std::optional<Inheritance> inherited;
  std::optional<PidFile> pid_file;  // alone
  std::vector<Listener> listeners;  // alone
  std::vector<int> listening_fds;
  std::optional<ScoreboardRegion> scoreboard;
};

int fail(const std::string& why) {
  log::error(why);
  return 1;
}
std::string sentence_of(const Error& error) {
  return std::string(error.operation) + ": " + std::strerror(error.os_error);
}

/// Standing on what the master left us.
Result<Ground, std::string> inherit(const Inheritance& inheritance) {
  Ground ground;
  ground.inherited = inheritance;
  for (int index = 0; index < inheritance.listener_count; ++index) {
    ground.listening_fds.push_back(kFirstListenerFd + index);
  }
  auto region = ScoreboardRegion::open_inherited(UniqueFd(kScoreboardFd));
  if (!region) return sentence_of(region.error());
  ground.scoreboard.emplace(*std::move(region));
  return ground;
}

/// Standing alone: our own listening sockets and pid file.
Result<Ground, std::string> stand_alone(const Config& config) {
  Ground ground;
  auto region = ScoreboardRegion::anonymous();
  if (!region) return sentence_of(region.error());
  ground.scoreboard.emplace(*std::move(region));
  if (!config.pid_file.empty()) {
    auto pid_file = PidFile::create(config.pid_file);
    if (!pid_file) return pid_file.error();
    ground.pid_file.emplace(*std::move(pid_file));
  }
  auto listeners = open_listeners(config.bind, config.backlog);
  if (!listeners) return listeners.error();
  ground.listeners = *std::move(listeners);
  for (const Listener& listener : ground.listeners) {
    ground.listening_fds.push_back(listener.fd());
    log::info("listening on ", listener.url());
  }
  return ground;
}

Result<Ground, std::string> take_ground(const Config& config) {
  const char* inherited = std::getenv(kInheritVariable);
  if (inherited == nullptr) return stand_alone(config);
  const auto inheritance = parse_inheritance(inherited);
  ::unsetenv(kInheritVariable);
  if (!inheritance) return std::string(kInheritVariable) + " is not what a master sets";
  return inherit(*inheritance);
}

int serve(const Config& config, Ground& ground) {
  if (const auto dropped = drop_privileges(config.user, config.group); !dropped) return fail(dropped.error());
  auto store = FileStore::open(config.root);
  if (!store) return fail("cannot use the root " + config.root + ": " + sentence_of(store.error()));

  EventLoop loop;
  DiskPool disk(loop);
  SlabPool slabs(config.limits.slab_bytes_max);
  const UploadServices uploads{*store, disk, slabs, config.durability};
  const DownloadServices downloads{*store, disk, slabs, config.sample};
  const RouteTable routes(route_options_of(config));
  std::optional<AccessLog> access_log;
  if (!config.access_logfile.empty()) {
    auto opened = AccessLog::open(config.access_logfile);
    if (!opened)
      return fail("cannot open the access log " + config.access_logfile + ": " + sentence_of(opened.error()));
    access_log.emplace(*std::move(opened));
  }
  RequestIds request_ids = RequestIds::random();
  DateCache dates;
  const ConnectionServices services{loop,        config,    routes,
                                    uploads,     downloads, ground.scoreboard->board(),
                                    request_ids, dates,     access_log ? &*access_log : nullptr};
  Server server(services, ground.listening_fds);
  Sweeper sweeper(loop, uploads, config.part_age_max);
  Lifecycle lifecycle(services, server, ground.inherited);
  sweeper.start();
  lifecycle.start();
  loop.run();
  return 0;
}

}  // namespace
}  // namespace forklift

int main(int argc, char** argv) {
  using namespace forklift;
  const bool alone = std::getenv(kInheritVariable) == nullptr;
  ignore_signals_of_others(alone);
  const CommandLineOutcome outcome =
      interpret_command_line(arguments_of(argc, argv), environment_of(environ), Program::kWorker);
  std::fputs(outcome.out.c_str(), stdout);
  std::fputs(outcome.err.c_str(), stderr);
  if (!outcome.run) return outcome.exit_code;
  const Config& config = outcome.loaded.config;
  log::start("worker", config.log_level);
  ::umask(static_cast<mode_t>(config.umask));
  auto ground = take_ground(config);
  if (!ground) return fail(ground.error());
  return serve(config, *ground);
}
