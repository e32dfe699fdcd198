#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "worker/storage/probe.h"
#include "worker/upload/body_sink.h"

namespace forklift {

/// One way for the bytes of an upload to leave the worker. A strategy is one .cpp file with its factory and
/// one line in strategies.def. `size` is the body's, where the request said it.
struct SinkStrategy {
  std::string_view name;
  std::string_view summary;  // one sentence: what it does in system calls
  bool sees_bytes;           // false: the bytes never enter the worker, so nothing can decode or check them
  bool blocks_loop;          // true: file calls run on the loop thread
  bool kept;                 // false: what is stored is gone after the reply, whatever --durability says
  unsigned copies;           // how often the body lies on the disk before it is published; 0: perhaps
  Probe* probe;              // whether it works over this store, on this kernel
  std::unique_ptr<BodySink> (*make)(const UploadServices& services, Resumer& resumer, UploadTarget target,
                                    std::optional<std::uint64_t> size);
};

/// Every strategy, in the order of strategies.def.
std::span<const SinkStrategy> sink_strategies();

/// nullptr: no such strategy.
const SinkStrategy* find_sink_strategy(std::string_view name);

/// The strategy itself, or, where it does not see the bytes, the one that does as much on the same thread.
const SinkStrategy& seeing_bytes(const SinkStrategy& strategy);

/// The strategy itself, or, where it would wait for the disk on the loop thread, one that lets others go on.
const SinkStrategy& off_the_loop(const SinkStrategy& strategy);

}  // namespace forklift
