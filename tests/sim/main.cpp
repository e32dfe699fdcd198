#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

#include "master/planted.h"
#include "sim/world.h"

// fleet_sim [--events N] [--seed S] [--story]: runs fleets through accidents until N events have happened;
// prints the seed of the world in which an invariant broke, and exits 1. --story tells all that happens.
// fleet_sim --planted: plants each mistake in turn, and exits 1 unless each is noticed.

namespace forklift::sim {
namespace {

struct Mistake {
  Plant plant;
  const char* name;
};
constexpr Mistake kMistakes[] = {
    {Plant::kDrainBeforeReady, "drain before ready"}, {Plant::kIgnoreBudget, "ignore the budget"},
    {Plant::kKillOnGap, "kill after a pause"},        {Plant::kKillMovingDrain, "cut a moving drain"},
    {Plant::kForgetDead, "forget the dead"},          {Plant::kExitWhenEmpty, "exit when empty"},
    {Plant::kReloadAllAtOnce, "reload all at once"},  {Plant::kKeepBadGeneration, "keep a bad generation"},
};
constexpr std::uint64_t kEventsPerWorld = 5000;

/// The number of events that happened, all well; or 0, with the story told.
std::uint64_t simulate(std::uint64_t events, std::uint64_t seed, std::FILE* story) {
  std::uint64_t happened = 0;
  while (happened < events) {
    World world(seed, story);
    const auto violation = world.run(kEventsPerWorld);
    happened += world.events();
    if (violation) {
      std::printf("  broken after %llu events: %s: %s (--seed %llu)\n",
                  static_cast<unsigned long long>(happened), violation->invariant.c_str(),
                  violation->detail.c_str(), static_cast<unsigned long long>(seed));
      return 0;
    }
    ++seed;
  }
  return happened;
}

int try_mistakes(std::uint64_t events, std::uint64_t seed) {
  int unnoticed = 0;
  for (const Mistake& mistake : kMistakes) {
    planted_now = mistake.plant;
    std::printf("%s\n", mistake.name);
    if (simulate(events, seed, nullptr) == 0) continue;
    std::printf("  NOT NOTICED\n");
    ++unnoticed;
  }
  return unnoticed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace forklift::sim

int main(int argc, char** argv) {
  std::uint64_t events = 200000;
  std::uint64_t seed = std::random_device()();
  bool planted = false;
  std::FILE* story = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--planted") {
      planted = true;
    } else if (option == "--story") {
      story = stdout;
    } else if (option == "--events" && has_value) {
      events = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--seed" && has_value) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: fleet_sim [--planted] [--story] [--events N] [--seed S]\n");
      return 2;
    }
  }
  if (planted) return forklift::sim::try_mistakes(events, seed);
  const std::uint64_t happened = forklift::sim::simulate(events, seed, story);
  if (happened == 0) return 1;
  std::printf("%llu events, all well (--seed %llu)\n", static_cast<unsigned long long>(happened),
              static_cast<unsigned long long>(seed));
  return 0;
}
