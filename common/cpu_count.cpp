#include "common/cpu_count.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <thread>

namespace forklift {
namespace {

/// cpu.max is "QUOTA PERIOD" in microseconds, or "max PERIOD"; the root cgroup has none.
std::optional<int> quota_cpus(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  long long quota = 0;
  long long period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return static_cast<int>(std::min((quota + period - 1) / period, 1'000'000LL));
}

/// The path in the line "0::/path"; the root when there is none.
std::string own_cgroup(const std::string& self) {
  std::ifstream file(self);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return "/";
}

}  // namespace

int affinity_cpus() {
  // The mask must hold every CPU the kernel could know, else EINVAL.
  for (std::size_t cpus = 1024; cpus <= 1024 * 1024; cpus *= 2) {
    cpu_set_t* mask = CPU_ALLOC(cpus);
    if (mask == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    const bool known = sched_getaffinity(0, bytes, mask) == 0;
    const int failure = errno;
    const int count = known ? CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    if (known) return std::max(count, 1);
    if (failure != EINVAL) break;
  }
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
}

std::optional<int> cgroup_cpus(const std::string& mount, const std::string& self) {
  std::optional<int> smallest;
  std::string path = own_cgroup(self);
  // Inside a container the path may be the host's: the directories that are missing here say nothing, and
  // the walk ends at the mount point, which is the container's own cgroup.
  while (true) {
    const std::optional<int> cpus = quota_cpus(mount + path);
    if (cpus) smallest = std::min(smallest.value_or(*cpus), *cpus);
    if (path.empty()) return smallest;
    path.resize(path.rfind('/'));
  }
}

int usable_cpus() {
  const int affine = affinity_cpus();
  return std::max(std::min(affine, cgroup_cpus("/sys/fs/cgroup", "/proc/self/cgroup").value_or(affine)), 1);
}

}  // namespace forklift
