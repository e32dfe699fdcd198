#include "worker/routes/article_downloads.h"

#include "worker/routes/query.h"
#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

Reply download_through(std::string_view strategy, const RouteOptions& options, const RequestHead& head) {
  const SourceStrategy* source = find_source_strategy(strategy);
  const auto encoded = query_value(head.query, "name");
  if (!encoded && options.sample) return Send{{}, source, true};
  if (!encoded) {
    return Problem{
        400, "name-missing", "Say which file: add ?name=NAME, or start the server with --sample FILE.", {}};
  }
  auto name = decode_name(*encoded);
  if (!name) return problem_of(name.error());
  return Send{*std::move(name), source, false};
}

}  // namespace

Reply download_through_sendfile(const RouteOptions& options, const RequestHead& head) {
  return download_through("sendfile", options, head);
}

Reply download_through_copy(const RouteOptions& options, const RequestHead& head) {
  return download_through("copy", options, head);
}

}  // namespace forklift
