#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.h"
#include "worker/http/reply.h"
#include "worker/upload/form.h"

namespace forklift {

/// What the routes need to know of the worker they stand in. Plain data.
struct RouteOptions {
  const SinkStrategy* upload_strategy;                 // of PUT /files/NAME
  const SourceStrategy* download_strategy;             // of GET /files/NAME
  std::vector<std::string_view> missing_uploads = {};  // strategies that do not work here
  std::vector<std::string_view> missing_downloads = {};

  bool works(const SinkStrategy* strategy) const;
  bool works(const SourceStrategy* strategy) const;
};

/// The strategies the configuration names, and which of all do not work over this store on this kernel (said
/// in the log). The error is a sentence: a strategy that there is not, or that does not work here.
Result<RouteOptions, std::string> route_options_of(const Config& config, const FileStore& store);

struct Route;

/// 501: this kernel or file system lacks what the strategy of this path is made of.
Problem strategy_missing(std::string_view strategy);

/// 204 with these methods; a literal.
Answer options_of(std::string_view allow);

/// 400: the Content-Type is not that of a form, or lacks the boundary.
Problem form_expected();

/// A decision over a request of one endpoint.
using RouteHandler = Reply (*)(const RouteOptions& options, const Route& route, const RequestHead& head);

struct MethodHandler {
  Method method;
  RouteHandler handler;
};

/// Which paths a route is for.
enum class PathMatch : std::uint8_t {
  kExact,
  kDirectory,  // all that begin with its path and end in '/'
  kPrefix,     // all that begin with it
};

/// One endpoint: its paths, and what its methods do.
struct Route {
  std::string_view path;
  PathMatch match;
  std::string_view allow;  // the methods and OPTIONS, as the Allow header says them
  std::span<const MethodHandler> methods;
  std::string_view strategy = {};  // of an article's endpoint
  BodyFormat format = BodyFormat::kRaw;
};

/// Every endpoint. What is none gets 404; a method that an endpoint lacks gets 405, OPTIONS 204, both with
/// Allow. One a worker, made in its main.
class RouteTable final : public Router {
 public:
  explicit RouteTable(RouteOptions options);

  Reply route(const RequestHead& head) const override;

  static std::span<const Route> routes();

 private:
  RouteOptions options_;
};

}  // namespace forklift
