#include "worker/routes/article_uploads.h"

#include <utility>

#include "worker/upload/form.h"

namespace forklift {
Reply upload_by_article(const RouteOptions& options, const Route& route, const RequestHead& head) {
  const SinkStrategy* strategy = find_sink_strategy(route.strategy);
  if (!options.works(strategy)) return strategy_missing(route.strategy);
  Receive receive{{kUploadDirectory, PublishMode::kFresh}, strategy, StoredStyle::kArticle, route.format, {}};
  if (route.format == BodyFormat::kForm) {
    receive.boundary = form_boundary(head.field("Content-Type"));
    if (receive.boundary.empty()) return form_expected();
  }
  return receive;
}

}  // namespace forklift
