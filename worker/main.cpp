#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "common/log.h"
#include "common/options.h"
#include "common/privileges.h"
#include "worker/ground.h"
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

int fail(const std::string& why) {
  log::error(why);
  return 1;
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
                                    uploads,     downloads, ground.scoreboard(),
                                    request_ids, dates,     access_log ? &*access_log : nullptr};
  Server server(services, ground.listening_fds());
  Sweeper sweeper(loop, uploads, config.part_age_max);
  Lifecycle lifecycle(services, server, ground);
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
  ::prctl(PR_SET_NAME, "worker");  // executed through a descriptor, ps would show its number
  const CommandLineOutcome outcome =
      interpret_command_line(arguments_of(argc, argv), environment_of(environ), Program::kWorker);
  std::fputs(outcome.out.c_str(), stdout);
  std::fputs(outcome.err.c_str(), stderr);
  if (!outcome.run) return outcome.exit_code;
  const Config& config = outcome.loaded.config;
  log::start("worker", config.log_level);
  ::umask(static_cast<mode_t>(config.umask));
  auto ground = Ground::take(config);
  if (!ground) return fail(ground.error());
  return serve(config, *ground);
}
