#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "common/log.h"
#include "common/options.h"
#include "common/process_start.h"
#include "master/exec_vector.h"
#include "master/launch.h"
#include "master/supervisor.h"

namespace {

/// Whether a worker could serve this is the worker's to say: becomes it. Returns only if that fails.
int run_check(const forklift::Config& config, const forklift::StartedWith& started_with) {
  using namespace forklift;
  const auto launch = Launch::prepare(config, started_with.environment);
  if (launch) {
    std::vector<std::string> arguments = launch->arguments();
    arguments.emplace_back("--check-config");
    std::vector<std::string> environment = launch->environment();
    ::execve(launch->executable().c_str(), pointers_to(arguments).data(), pointers_to(environment).data());
  }
  std::fprintf(stderr, "%s\n", launch ? "cannot execute the worker" : launch.error().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace forklift;
  start_process(Supervisor::kSignals);
  const StartedWith started_with{arguments_of(argc, argv), environment_of(environ)};
  const CommandLineOutcome outcome =
      interpret_command_line(started_with.arguments, started_with.environment, Program::kMaster);
  // Nothing will be served: what stops any program stops this one, though nobody may read what it says.
  if (!outcome.run || outcome.check_config) hear_signals();
  std::fputs(outcome.out.c_str(), stdout);
  std::fputs(outcome.err.c_str(), stderr);
  if (!outcome.run) return outcome.exit_code;

  const Config& config = outcome.loaded.config;
  log::start("master", config.log_level);
  ::umask(static_cast<mode_t>(config.umask));
  if (outcome.check_config) return run_check(config, started_with);
  Supervisor supervisor(config, started_with);
  if (const auto prepared = supervisor.prepare(); !prepared) {
    log::error(prepared.error());
    return 1;
  }
  return supervisor.run();
}
