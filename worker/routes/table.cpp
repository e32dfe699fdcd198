#include "worker/routes/table.h"

#include <algorithm>
#include <utility>

#include "worker/routes/article_downloads.h"
#include "worker/routes/article_uploads.h"
#include "worker/routes/files.h"
#include "worker/routes/health.h"
#include "worker/routes/list.h"

namespace forklift {
namespace {

constexpr MethodHandler kUpload[] = {{Method::kPost, upload_by_article}};
constexpr MethodHandler kDownload[] = {{Method::kGet, download_by_article},
                                       {Method::kHead, download_by_article}};
constexpr MethodHandler kFiles[] = {{Method::kGet, get_file},
                                    {Method::kHead, get_file},
                                    {Method::kPut, put_file},
                                    {Method::kDelete, delete_file},
                                    {Method::kOptions, options_of_file}};
constexpr MethodHandler kRoot[] = {
    {Method::kGet, list_by_prefix}, {Method::kHead, list_by_prefix}, {Method::kPost, post_files}};
constexpr MethodHandler kDirectory[] = {{Method::kPost, post_files},
                                        {Method::kOptions, options_of_directory}};
constexpr MethodHandler kHealth[] = {{Method::kGet, say_healthy}, {Method::kHead, say_healthy}};

constexpr Route upload(std::string_view path, std::string_view strategy, BodyFormat format) {
  return {path, PathMatch::kExact, "POST, OPTIONS", kUpload, strategy, format};
}
constexpr Route download(std::string_view path, std::string_view strategy) {
  return {path, PathMatch::kExact, "GET, HEAD, OPTIONS", kDownload, strategy};
}

// The first that fits counts: exact paths stand before the prefix they share.
constexpr Route kRoutes[] = {
    upload("/files/upload/stream/async_read_and_memory_write", "memory", BodyFormat::kRaw),
    upload("/files/upload/stream/async_read_and_disk_write", "blocking", BodyFormat::kRaw),
    upload("/files/upload/stream/async_read_and_async_write", "pool", BodyFormat::kRaw),
    upload("/files/upload/stream/splice", "splice", BodyFormat::kRaw),
    upload("/files/upload/stream/uring", "uring", BodyFormat::kRaw),
    upload("/files/upload/stream/direct", "direct", BodyFormat::kRaw),
    upload("/files/upload/single", "whole", BodyFormat::kForm),
    upload("/files/upload/single/sync", "whole_job", BodyFormat::kForm),
    upload("/files/upload/single/stream", "pool", BodyFormat::kForm),
    upload("/files/upload/single/stream/async_read_sync_write", "blocking", BodyFormat::kForm),
    upload("/files/upload/single/stream/sync_read_sync_write", "spool", BodyFormat::kForm),
    upload("/files/upload/raw/json/base64decode", "blocking", BodyFormat::kJson),
    download("/files/download/file", "sendfile"),
    download("/files/download/file/sync", "sendfile_job"),
    download("/files/download/stream/sync_read", "copy"),
    download("/files/download/stream/async_read", "pool"),
    download("/files/download/stream/uring", "uring"),
    {"/files/", PathMatch::kExact, "GET, HEAD, POST, OPTIONS", kRoot},
    {"/files/", PathMatch::kDirectory, "POST, OPTIONS", kDirectory},
    {"/files/", PathMatch::kPrefix, "GET, HEAD, PUT, DELETE, OPTIONS", kFiles},
    {"/healthz", PathMatch::kExact, "GET, HEAD, OPTIONS", kHealth},
};

constexpr std::string_view kAllowOfServer = "GET, HEAD, POST, PUT, DELETE, OPTIONS";

bool fits(const Route& route, std::string_view path) {
  if (route.match == PathMatch::kExact) return path == route.path;
  return path.starts_with(route.path) && (route.match == PathMatch::kPrefix || path.ends_with('/'));
}

Problem no_route() {
  return {404, "route-unknown", "Nothing is served at this path; files are below /files/.", {}};
}

Reply method_not_allowed(const Route& route) {
  return Problem{405, "method-not-allowed", "This path takes " + std::string(route.allow) + ".",
                 std::string(route.allow)};
}

}  // namespace

Answer options_of(std::string_view allow) { return {204, {}, {}, allow}; }

Problem strategy_missing(std::string_view strategy) {
  return {501,
          "strategy-missing",
          "The strategy \"" + std::string(strategy) +
              "\" does not work with this server's kernel or file system; its log says why.",
          {}};
}

Problem form_expected() {
  return {400, "form-expected", "This takes a form: Content-Type: multipart/form-data with a boundary.", {}};
}

RouteTable::RouteTable(RouteOptions options) : options_(std::move(options)) {}

std::span<const Route> RouteTable::routes() { return kRoutes; }

Reply RouteTable::route(const RequestHead& head) const {
  if (head.path == "*") return options_of(kAllowOfServer);
  const auto* route = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                   [&head](const Route& each) { return fits(each, head.path); });
  if (route == std::end(kRoutes)) return no_route();
  for (const auto& [method, handler] : route->methods) {
    if (method == head.method) return handler(options_, *route, head);
  }
  return head.method == Method::kOptions ? Reply(options_of(route->allow)) : method_not_allowed(*route);
}

}  // namespace forklift
