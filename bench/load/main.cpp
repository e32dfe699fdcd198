#include <sys/resource.h>

#include <iostream>
#include <string>
#include <vector>

#include "bench/load/generator.h"
#include "common/errno_error.h"

namespace {

using namespace forklift;
using namespace forklift::load;

constexpr std::size_t kScratchBytes = 256 * 1024;
constexpr std::size_t kOwnDescriptors = 16;

int fail(const std::string& message, int code) {
  std::cerr << "open_loop: " << message << "\n";
  return code;
}

/// Asks for as many descriptors as there may be; false if that is too few.
bool enough_descriptors(std::size_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return wanted + kOwnDescriptors <= limit.rlim_max;
}

int run(const Options& options) {
  if (!enough_descriptors(options.connections_max + options.slow_clients)) {
    return fail("more connections than this process may have descriptors (ulimit -n)", 1);
  }
  const auto request = Request::make(options);
  if (!request) return fail(request.error(), 1);
  const auto endpoint = Endpoint::resolve(options.host, options.port);
  if (!endpoint) return fail(endpoint.error(), 1);
  auto poller = Poller::open();
  if (!poller) return fail(sentence_of(poller.error()), 1);
  std::vector<char> scratch(kScratchBytes);
  Shared shared{*poller, *endpoint, scratch};
  Generator generator(options, *request, shared);
  if (auto ran = generator.run(); !ran) return fail(sentence_of(ran.error()), 1);
  std::cout << generator.tally().json() << std::flush;
  return std::cout ? 0 : fail("cannot write the result", 1);
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (options) return run(*options);
  if (options.error().message.empty()) {
    std::cout << options.error().help;
    return 0;
  }
  return fail(options.error().message + "\nRun with --help for more information.", 2);
}
