#include "common/cpu_count.h"

#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.h"

using namespace forklift;
namespace fs = std::filesystem;

namespace {

/// A cgroup hierarchy in a temporary directory, gone with the test.
class FakeCgroups {
 public:
  FakeCgroups() {
    std::string name = (fs::temp_directory_path() / "cgroups-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~FakeCgroups() { fs::remove_all(root_); }

  void quota(const std::string& cgroup, const std::string& text) {
    fs::create_directories(root_ / cgroup);
    std::ofstream(root_ / cgroup / "cpu.max") << text << "\n";
  }
  std::optional<int> cpus(const std::string& self) {
    std::ofstream(root_ / "self") << self << "\n";
    return cgroup_cpus(root_.string(), (root_ / "self").string());
  }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("a cgroup quota is rounded up to whole CPUs") {
  FakeCgroups cgroups;
  cgroups.quota("service", "150000 100000");
  CHECK(cgroups.cpus("0::/service") == 2);
  cgroups.quota("service", "200000 100000");
  CHECK(cgroups.cpus("0::/service") == 2);
  cgroups.quota("service", "1000 100000");
  CHECK(cgroups.cpus("0::/service") == 1);
}

TEST_CASE("the smallest quota on the way up counts") {
  FakeCgroups cgroups;
  cgroups.quota("slice", "300000 100000");
  cgroups.quota("slice/service", "800000 100000");
  CHECK(cgroups.cpus("0::/slice/service") == 3);
  cgroups.quota("slice/service", "max 100000");
  CHECK(cgroups.cpus("0::/slice/service") == 3);
}

TEST_CASE("without a quota the cgroup says nothing") {
  FakeCgroups cgroups;
  cgroups.quota("service", "max 100000");
  CHECK_FALSE(cgroups.cpus("0::/service"));
  CHECK_FALSE(cgroups.cpus("3:cpu:/service"));
  cgroups.quota("service", "rubbish");
  CHECK_FALSE(cgroups.cpus("0::/service"));
  CHECK_FALSE(cgroup_cpus("/nonexistent", "/nonexistent"));
}

TEST_CASE("in a container that sees the host's path the mounted root counts") {
  FakeCgroups cgroups;
  cgroups.quota("", "400000 100000");
  CHECK(cgroups.cpus("5:name=systemd:/x\n0::/docker/0123abcd") == 4);
}

TEST_CASE("the affinity mask limits the CPUs") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(affinity_cpus() == CPU_COUNT(&before));
  CHECK(usable_cpus() >= 1);
  CHECK(usable_cpus() <= affinity_cpus());

  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(affinity_cpus() == 1);
  CHECK(usable_cpus() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}
