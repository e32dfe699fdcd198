#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "worker/download/body_source.h"
#include "worker/storage/probe.h"

namespace forklift {

/// One way for the bytes of a download to reach the socket. A strategy is one .cpp file with its factory and
/// one line in strategies.def.
struct SourceStrategy {
  std::string_view name;
  std::string_view summary;  // one sentence: what it does in system calls
  bool sees_bytes;           // false: the bytes never enter the worker
  bool blocks_loop;          // true: file reads run on the loop thread
  Probe* probe;              // whether it works over this store, on this kernel
  std::unique_ptr<BodySource> (*make)(const DownloadServices& services, Resumer& resumer,
                                      DownloadTarget target);
};

/// Every strategy, in the order of strategies.def.
std::span<const SourceStrategy> source_strategies();

/// nullptr: no such strategy.
const SourceStrategy* find_source_strategy(std::string_view name);

}  // namespace forklift
