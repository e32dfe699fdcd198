#include "worker/routes/article_downloads.h"

#include <utility>

#include "worker/routes/query.h"
#include "worker/storage/safe_path.h"

namespace forklift {

Reply download_by_article(const RouteOptions& options, const Route& route, const RequestHead& head) {
  const SourceStrategy* strategy = find_source_strategy(route.strategy);
  if (!options.works(strategy)) return strategy_missing(route.strategy);
  const auto encoded = query_value(head.query, "name");
  if (!encoded && !head.query.empty()) {
    return Problem{400,
                   "query-unknown",
                   "The query names no file: write ?name=NAME, or no query at all for the sample.",
                   {}};
  }
  if (!encoded) return Send{{}, strategy, true};
  auto name = decode_name(*encoded);
  if (!name) return problem_of(name.error());
  return Send{*std::move(name), strategy, false};
}

}  // namespace forklift
