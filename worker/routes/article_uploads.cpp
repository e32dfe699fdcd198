#include "worker/routes/article_uploads.h"

namespace forklift {
namespace {

constexpr const char* kUploadDirectory = "uploads";

Reply upload_through(std::string_view strategy) {
  return Receive{
      {kUploadDirectory, PublishMode::kFresh}, find_sink_strategy(strategy), StoredStyle::kArticle};
}

}  // namespace

Reply upload_through_blocking(const RouteOptions&, const RequestHead&) { return upload_through("blocking"); }

Reply upload_through_pool(const RouteOptions&, const RequestHead&) { return upload_through("pool"); }

}  // namespace forklift
