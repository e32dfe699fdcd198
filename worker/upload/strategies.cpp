#include "worker/upload/strategies.h"

#include <algorithm>

namespace forklift {

#define SINK(name, sees_bytes, blocks_loop, kept, copies, probe, summary)                     \
  Probe probe;                                                                                \
  std::unique_ptr<BodySink> make_##name##_sink(const UploadServices&, Resumer&, UploadTarget, \
                                               std::optional<std::uint64_t>);
#include "worker/upload/strategies.def"
#undef SINK

namespace {

constexpr SinkStrategy kStrategies[] = {
#define SINK(name, sees_bytes, blocks_loop, kept, copies, probe, summary) \
  {#name, summary, sees_bytes, blocks_loop, kept, copies, probe, make_##name##_sink},
#include "worker/upload/strategies.def"
#undef SINK
};

}  // namespace

std::span<const SinkStrategy> sink_strategies() { return kStrategies; }

const SinkStrategy* find_sink_strategy(std::string_view name) {
  const auto* found = std::find_if(std::begin(kStrategies), std::end(kStrategies),
                                   [name](const SinkStrategy& strategy) { return strategy.name == name; });
  return found == std::end(kStrategies) ? nullptr : found;
}

const SinkStrategy& seeing_bytes(const SinkStrategy& strategy) {
  return strategy.sees_bytes ? strategy : *find_sink_strategy("blocking");
}

const SinkStrategy& off_the_loop(const SinkStrategy& strategy) {
  return strategy.blocks_loop ? *find_sink_strategy("pool") : strategy;
}

}  // namespace forklift
