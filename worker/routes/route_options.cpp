#include <algorithm>
#include <string>

#include "common/errno_error.h"
#include "common/log.h"
#include "worker/routes/table.h"

namespace forklift {
namespace {

/// The names of the strategies that do not work here; the log says why.
template <typename Strategy>
std::vector<std::string_view> missing_of(std::span<const Strategy> strategies, const FileStore& store,
                                         std::string_view direction) {
  std::vector<std::string_view> missing;
  for (const Strategy& strategy : strategies) {
    const auto works = strategy.probe(store);
    if (works) continue;
    if (!says_missing(works.error())) {
      log::warning("the ", direction, " strategy ", strategy.name,
                   " could not be tried, and is taken to work: ", sentence_of(works.error()));
      continue;
    }
    missing.push_back(strategy.name);
    log::warning("the ", direction, " strategy ", strategy.name,
                 " does not work here: ", sentence_of(works.error()));
  }
  return missing;
}

template <typename Strategy>
Result<const Strategy*, std::string> chosen(std::span<const Strategy> strategies, const std::string& name,
                                            const std::vector<std::string_view>& missing,
                                            const std::string& option) {
  std::string known;
  for (const Strategy& strategy : strategies) {
    if (strategy.name != name) {
      known += (known.empty() ? "" : ", ") + std::string(strategy.name);
    } else if (std::count(missing.begin(), missing.end(), strategy.name) > 0) {
      return option + " " + name +
             ": this strategy does not work here; worker --list-strategies says why and what does";
    } else {
      return &strategy;
    }
  }
  return option + " " + name + ": no such strategy; there are " + known;
}

}  // namespace

Result<RouteOptions, std::string> route_options_of(const Config& config, const FileStore& store) {
  RouteOptions options{};
  options.missing_uploads = missing_of(sink_strategies(), store, "upload");
  options.missing_downloads = missing_of(source_strategies(), store, "download");
  const auto sink =
      chosen(sink_strategies(), config.upload_strategy, options.missing_uploads, "--upload-strategy");
  if (!sink) return sink.error();
  const auto source =
      chosen(source_strategies(), config.download_strategy, options.missing_downloads, "--download-strategy");
  if (!source) return source.error();
  if (!(*sink)->kept) {
    return "--upload-strategy " + config.upload_strategy + ": what it stores is gone after the answer";
  }
  options.upload_strategy = *sink;
  options.download_strategy = *source;
  return options;
}

bool RouteOptions::works(const SinkStrategy* strategy) const {
  return strategy != nullptr &&
         std::count(missing_uploads.begin(), missing_uploads.end(), strategy->name) == 0;
}

bool RouteOptions::works(const SourceStrategy* strategy) const {
  return strategy != nullptr &&
         std::count(missing_downloads.begin(), missing_downloads.end(), strategy->name) == 0;
}

}  // namespace forklift
