#include "worker/download/strategies.h"

#include <algorithm>

namespace forklift {

#define SOURCE(name, sees_bytes, blocks_loop, probe, summary) \
  Probe probe;                                                \
  std::unique_ptr<BodySource> make_##name##_source(const DownloadServices&, Resumer&, DownloadTarget);
#include "worker/download/strategies.def"
#undef SOURCE

namespace {

constexpr SourceStrategy kStrategies[] = {
#define SOURCE(name, sees_bytes, blocks_loop, probe, summary) \
  {#name, summary, sees_bytes, blocks_loop, probe, make_##name##_source},
#include "worker/download/strategies.def"
#undef SOURCE
};

}  // namespace

std::span<const SourceStrategy> source_strategies() { return kStrategies; }

const SourceStrategy* find_source_strategy(std::string_view name) {
  const auto* found = std::find_if(std::begin(kStrategies), std::end(kStrategies),
                                   [name](const SourceStrategy& strategy) { return strategy.name == name; });
  return found == std::end(kStrategies) ? nullptr : found;
}

}  // namespace forklift
