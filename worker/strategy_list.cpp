#include "worker/strategy_list.h"

#include <string_view>

#include "common/errno_error.h"
#include "worker/download/strategies.h"
#include "worker/upload/strategies.h"

namespace forklift {
namespace {

template <typename Strategy>
std::string traits_of(const Strategy& strategy) {
  std::string text = strategy.sees_bytes ? "sees the bytes" : "does not see the bytes";
  return text +
         (strategy.blocks_loop ? "; file calls on the loop thread" : "; file calls off the loop thread");
}

const char* durability_of(const SinkStrategy& strategy) {
  return strategy.kept ? "durable as --durability says" : "never durable: gone after the reply";
}

template <typename Strategy>
std::string here(const Strategy& strategy, const FileStore& store) {
  const auto works = strategy.probe(store);
  return works ? "works here" : "does not work here: " + sentence_of(works.error());
}

std::string entry(std::string_view name, std::string_view summary, const std::string& rest) {
  constexpr std::size_t kNameColumns = 10;
  std::string text = "  " + std::string(name);
  text.append(name.size() < kNameColumns ? kNameColumns - name.size() : 1, ' ');
  return text + std::string(summary) + "\n" + std::string(kNameColumns + 2, ' ') + rest + "\n";
}

}  // namespace

std::string strategy_list(const FileStore& store) {
  std::string text = "Upload strategies (--upload-strategy NAME):\n";
  for (const SinkStrategy& strategy : sink_strategies()) {
    text += entry(
        strategy.name, strategy.summary,
        std::string(durability_of(strategy)) + "; " + traits_of(strategy) + "; " + here(strategy, store));
  }
  text += "\nDownload strategies (--download-strategy NAME):\n";
  for (const SourceStrategy& strategy : source_strategies()) {
    text += entry(strategy.name, strategy.summary, traits_of(strategy) + "; " + here(strategy, store));
  }
  return text;
}

}  // namespace forklift
