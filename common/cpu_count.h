#pragma once

#include <optional>
#include <string>

namespace forklift {

/// CPUs this process may keep busy: those of its affinity mask (sched_getaffinity(2)), but no more than its
/// cgroup's quota, rounded up. At least 1. This is what `--workers auto` means.
int usable_cpus();

/// CPUs of the affinity mask.
int affinity_cpus();

/// The smallest cpu.max of this process's cgroup (version 2) and those above it, in CPUs rounded up; nothing
/// without a quota. `mount` is where the hierarchy is mounted, `self` is /proc/self/cgroup, cgroups(7).
std::optional<int> cgroup_cpus(const std::string& mount, const std::string& self);

}  // namespace forklift
