#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "common/errno_error.h"
#include "common/log.h"
#include "common/options.h"
#include "common/privileges.h"
#include "common/process_start.h"
#include "worker/config_check.h"
#include "worker/download/page_cache.h"
#include "worker/dump.h"
#include "worker/ground.h"
#include "worker/http/access_log.h"
#include "worker/lifecycle.h"
#include "worker/loop/disk_pool.h"
#include "worker/loop/ring.h"
#include "worker/routes/table.h"
#include "worker/sample.h"
#include "worker/storage/space.h"
#include "worker/strategy_list.h"
#include "worker/upload/form_uploads.h"
#include "worker/upload/json_base64.h"
#include "worker/upload/keep.h"
#include "worker/upload/splice_pipe.h"
#include "worker/upload/sweeper.h"

namespace forklift {
namespace {

/// The signals of a terminal or meant for the master; a worker minds its channel instead.
void ignore_signals_of_others(bool alone) {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH}) {
    std::signal(signal, SIG_IGN);
  }
  if (alone) return;
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
}

/// A connection that transfers takes two descriptors or three; the soft limit is often 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int fail(const std::string& why) {
  log::error(why);
  return 1;
}

int list_strategies(const Config& config) {
  const auto list = strategy_list(config.root);
  if (!list) return fail("cannot use the root " + config.root + ": " + sentence_of(list.error()));
  std::fputs(list->c_str(), stdout);
  return 0;
}

Result<std::optional<AccessLog>, std::string> access_log_of(const Config& config) {
  if (config.access_logfile.empty()) return std::optional<AccessLog>();
  auto opened = AccessLog::open(config.access_logfile);
  if (!opened)
    return "cannot open the access log " + config.access_logfile + ": " + sentence_of(opened.error());
  return std::optional(*std::move(opened));
}

int check(const Config& config) {
  if (const auto checked = check_config(config); !checked) {
    std::fprintf(stderr, "%s\n", checked.error().c_str());
    return 1;
  }
  std::puts("configuration ok");
  return 0;
}

int serve(const Config& config, Ground& ground) {
  if (const auto dropped = drop_privileges(config.user, config.group); !dropped) return fail(dropped.error());
  auto store = FileStore::open(config.root);
  if (!store) return fail("cannot use the root " + config.root + ": " + sentence_of(store.error()));

  auto sample = Sample::of(config);
  if (!sample) return fail("cannot make the sample: " + sentence_of(sample.error()));

  SpaceReserve space(*store, ground.scoreboard(), ground.fleet(), config.reserved_bytes);
  EventLoop loop;
  DiskPool disk(loop);
  SlabPool slabs(config.limits.slab_bytes_max);
  SlabPool spool(config.limits.spool_bytes_max, slabs);
  Keeper keeper(*store, disk, config.uploads_kept);
  auto opened_ring = Ring::open(loop);
  const auto ring = opened_ring ? *std::move(opened_ring) : nullptr;  // its strategies' probes say why
  SplicePipe splice_pipe;
  FormUploads forms(FormUploads::open_files_max_here());
  JsonUploads json(config.limits.json_bytes_max, config.base64);
  const UploadServices uploads{.store = *store,
                               .disk = disk,
                               .slabs = slabs,
                               .durability = config.durability,
                               .ring = ring.get(),
                               .splice_pipe = &splice_pipe,
                               .spool = &spool,
                               .json = &json,
                               .forms = &forms,
                               .keeper = &keeper,
                               .space = config.reserved_bytes > 0 ? &space : nullptr};
  PageCache pages(loop);
  const DownloadServices downloads{*store, disk, slabs, pages, sample->path(), ring.get()};
  auto options = route_options_of(config, *store);
  if (!options) return fail(options.error());
  const RouteTable routes(*std::move(options));
  const auto file_answers = FileAnswers::of(config);
  if (!file_answers) return fail(file_answers.error());
  auto access_log = access_log_of(config);
  if (!access_log) return fail(access_log.error());
  const auto activities = std::make_unique<ActivityBoard>();
  const AbortDump dump(*activities);
  RequestIds request_ids = RequestIds::random();
  DateCache dates;
  const ConnectionServices services{loop,          config,          routes,
                                    uploads,       downloads,       ground.scoreboard(),
                                    request_ids,   dates,           *access_log ? &**access_log : nullptr,
                                    *file_answers, activities.get()};
  Server server(services, ground.listening_fds(),
                config.accept == AcceptMode::kGate ? ground.fleet() : nullptr);
  Sweeper sweeper(loop, uploads, config.part_age_max);
  Lifecycle lifecycle(services, server, ground);
  if (const auto started = disk.start(); !started)
    return fail("cannot start the threads of the disk pool: " + sentence_of(started.error()));
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
  start_process();
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
  raise_descriptor_limit();
  if (outcome.check_config) return check(config);
  if (outcome.list_strategies) return list_strategies(config);
  auto ground = Ground::take(config);
  if (!ground) return fail(ground.error());
  return serve(config, *ground);
}
