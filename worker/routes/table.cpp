#include "worker/routes/table.h"

#include <algorithm>

#include "worker/routes/article_downloads.h"
#include "worker/routes/article_uploads.h"
#include "worker/routes/files.h"
#include "worker/routes/health.h"

namespace forklift {
namespace {

constexpr MethodHandler kDiskWriteUpload[] = {{Method::kPost, upload_through_blocking}};
constexpr MethodHandler kAsyncWriteUpload[] = {{Method::kPost, upload_through_pool}};
constexpr MethodHandler kFileDownload[] = {{Method::kGet, download_through_sendfile},
                                           {Method::kHead, download_through_sendfile}};
constexpr MethodHandler kStreamDownload[] = {{Method::kGet, download_through_copy},
                                             {Method::kHead, download_through_copy}};
constexpr MethodHandler kFiles[] = {{Method::kGet, get_file},
                                    {Method::kHead, get_file},
                                    {Method::kPut, put_file},
                                    {Method::kDelete, delete_file}};
constexpr MethodHandler kHealth[] = {{Method::kGet, say_healthy}, {Method::kHead, say_healthy}};

// The first that fits counts: exact paths stand before the prefix they share.
constexpr Route kRoutes[] = {
    {"/files/upload/stream/async_read_and_disk_write", false, "POST, OPTIONS", kDiskWriteUpload},
    {"/files/upload/stream/async_read_and_async_write", false, "POST, OPTIONS", kAsyncWriteUpload},
    {"/files/download/file", false, "GET, HEAD, OPTIONS", kFileDownload},
    {"/files/download/stream/sync_read", false, "GET, HEAD, OPTIONS", kStreamDownload},
    {"/files/", true, "GET, HEAD, PUT, DELETE, OPTIONS", kFiles},
    {"/healthz", false, "GET, HEAD, OPTIONS", kHealth},
};

constexpr std::string_view kAllowOfServer = "GET, HEAD, POST, PUT, DELETE, OPTIONS";

bool fits(const Route& route, std::string_view path) {
  return route.prefix ? path.substr(0, route.path.size()) == route.path : path == route.path;
}

Problem no_route() {
  return {404, "route-unknown", "Nothing is served at this path; files are below /files/.", {}};
}

Reply method_not_allowed(const Route& route) {
  return Problem{405, "method-not-allowed", "This path takes " + std::string(route.allow) + ".",
                 std::string(route.allow)};
}

Answer options_of(std::string_view allow) { return {204, {}, {}, allow}; }

}  // namespace

RouteOptions route_options_of(const Config& config) {
  return {&sink_strategies().front(), &source_strategies().front(), !config.sample.empty()};
}

RouteTable::RouteTable(const RouteOptions& options) : options_(options) {}

std::span<const Route> RouteTable::routes() { return kRoutes; }

Reply RouteTable::route(const RequestHead& head) const {
  if (head.path == "*") return options_of(kAllowOfServer);
  const auto* route = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                   [&head](const Route& each) { return fits(each, head.path); });
  if (route == std::end(kRoutes)) return no_route();
  for (const auto& [method, handler] : route->methods) {
    if (method == head.method) return handler(options_, head);
  }
  return head.method == Method::kOptions ? Reply(options_of(route->allow)) : method_not_allowed(*route);
}

}  // namespace forklift
