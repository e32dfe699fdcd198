#pragma once

#include <span>
#include <string_view>

#include "common/config.h"
#include "worker/http/reply.h"

namespace forklift {

/// What the routes need to know of the worker they stand in. Plain data.
struct RouteOptions {
  const SinkStrategy* upload_strategy;      // of PUT /files/NAME
  const SourceStrategy* download_strategy;  // of GET /files/NAME
  bool sample = false;                      // there is a --sample: downloads without a name send it
};

/// The first strategy of each list, and whether there is a sample.
RouteOptions route_options_of(const Config& config);

/// A decision over a request of one endpoint.
using RouteHandler = Reply (*)(const RouteOptions& options, const RequestHead& head);

struct MethodHandler {
  Method method;
  RouteHandler handler;
};

/// One endpoint: a path, or all that begins with it, and what its methods do.
struct Route {
  std::string_view path;
  bool prefix;
  std::string_view allow;  // the methods and OPTIONS, as the Allow header says them
  std::span<const MethodHandler> methods;
};

/// Every endpoint. What is none gets 404; a method that an endpoint lacks gets 405, OPTIONS 204, both with
/// Allow. One a worker, made in its main.
class RouteTable final : public Router {
 public:
  explicit RouteTable(const RouteOptions& options);

  Reply route(const RequestHead& head) const override;

  static std::span<const Route> routes();

 private:
  RouteOptions options_;
};

}  // namespace forklift
