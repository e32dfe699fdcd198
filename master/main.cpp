#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "common/log.h"
#include "common/options.h"
#include "master/supervisor.h"

int main(int argc, char** argv) {
  using namespace forklift;
  const StartedWith started_with{arguments_of(argc, argv), environment_of(environ)};
  const CommandLineOutcome outcome =
      interpret_command_line(started_with.arguments, started_with.environment, Program::kMaster);
  std::fputs(outcome.out.c_str(), stdout);
  std::fputs(outcome.err.c_str(), stderr);
  if (!outcome.run) return outcome.exit_code;

  const Config& config = outcome.loaded.config;
  log::start("master", config.log_level);
  ::umask(static_cast<mode_t>(config.umask));
  Supervisor supervisor(config, started_with);
  if (const auto prepared = supervisor.prepare(); !prepared) {
    log::error(prepared.error());
    return 1;
  }
  return supervisor.run();
}
