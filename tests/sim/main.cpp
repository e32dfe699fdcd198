#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string_view>

#include "master/planted.h"
#include "sim/world.h"

// fleet_sim [--events N] [--seed S] [--story]: runs fleets through accidents until N events have happened;
// prints the seed of the world in which an invariant broke, and exits 1. --story tells all that happens.
// fleet_sim --planted: plants each mistake in turn, and exits 1 unless each is seen to break its invariant.

namespace forklift::sim {
namespace {

struct Mistake {
  Plant plant;
  const char* name;
  Invariant breaks;
};
constexpr Mistake kMistakes[] = {
    {Plant::kDrainBeforeReady, "drain before ready", Invariant::kNotSentAwayEarly},
    {Plant::kForgetAccept, "forget to let in", Invariant::kKnowsWhoServes},
    {Plant::kReuseIds, "use an id twice", Invariant::kNewIds},
    {Plant::kSpawnOutdated, "start what is outdated", Invariant::kGenerationsInUse},
    {Plant::kHearLateReady, "let in who was sent away", Invariant::kNobodyAcceptsSentAway},
    {Plant::kDrainBooting, "drain who boots", Invariant::kOnlyServingDrained},
    {Plant::kKillMovingDrain, "cut a moving drain", Invariant::kMovingDrainGoesOn},
    {Plant::kCutForRoom, "cut the oldest generation", Invariant::kMovingDrainGoesOn},
    {Plant::kKillOnGap, "kill after a pause", Invariant::kInnocentNotKilled},
    {Plant::kExitWhenEmpty, "exit when empty", Invariant::kServedEndsWhenTold},
    {Plant::kExitEarly, "exit before the workers", Invariant::kOutlivesWorkers},
    {Plant::kTalkToDead, "talk to the dead", Invariant::kNothingSaidToTheDead},
    {Plant::kIgnoreBudget, "ignore the budget", Invariant::kForkBudget},
    {Plant::kReloadAllAtOnce, "reload all at once", Invariant::kSurge},
    {Plant::kNoCanary, "reload without a canary", Invariant::kCanaryFirst},
    {Plant::kPileUpGenerations, "pile up generations", Invariant::kOldGenerations},
    {Plant::kNeverKill, "never kill", Invariant::kStopEnds},
    {Plant::kForgetDead, "forget the dead", Invariant::kRecovers},
    {Plant::kKeepBadGeneration, "keep a bad generation", Invariant::kComesToRest},
    {Plant::kSkipSlot, "skip a slot", Invariant::kOneGeneration},
};

constexpr bool each_can_break() {
  for (int each = 0; each < static_cast<int>(Invariant::kCount); ++each) {
    const auto breaks_it = [each](const Mistake& mistake) {
      return static_cast<int>(mistake.breaks) == each;
    };
    if (std::none_of(std::begin(kMistakes), std::end(kMistakes), breaks_it)) return false;
  }
  return true;
}
static_assert(each_can_break());
constexpr std::uint64_t kEventsPerWorld = 5000;

void print(const Violation& violation, std::uint64_t seed, std::uint64_t happened) {
  std::printf("  broken after %llu events: %s: %s (--seed %llu)\n", static_cast<unsigned long long>(happened),
              to_string(violation.invariant), violation.detail.c_str(),
              static_cast<unsigned long long>(seed));
}

/// The number of events that happened, all well; or 0, with the story told.
std::uint64_t simulate(std::uint64_t events, std::uint64_t seed, std::FILE* story) {
  std::uint64_t happened = 0;
  for (; happened < events; ++seed) {
    World world(seed, story);
    const auto violation = world.run(kEventsPerWorld);
    happened += world.events();
    if (!violation) continue;
    print(*violation, seed, happened);
    return 0;
  }
  return happened;
}

/// Whether some world shows the invariant broken. A mistake may break others in other worlds.
bool breaks(Invariant invariant, std::uint64_t events, std::uint64_t seed) {
  for (std::uint64_t happened = 0; happened < events; ++seed) {
    World world(seed, nullptr);
    const auto violation = world.run(kEventsPerWorld);
    happened += world.events();
    if (!violation || violation->invariant != invariant) continue;
    print(*violation, seed, happened);
    return true;
  }
  return false;
}

int try_mistakes(std::uint64_t events, std::uint64_t seed) {
  int unnoticed = 0;
  for (const Mistake& mistake : kMistakes) {
    planted_now = mistake.plant;
    std::printf("%s\n", mistake.name);
    if (breaks(mistake.breaks, events, seed)) continue;
    std::printf("  NOT NOTICED: %s\n", to_string(mistake.breaks));
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
