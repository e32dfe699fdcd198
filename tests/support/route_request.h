#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "support/catch.h"
#include "worker/http/parser.h"
#include "worker/routes/table.h"

namespace forklift {

/// What the table decides over one request, given as a client would write it. *direct* and *uring* (down) do
/// not work there.
inline Reply route(const std::string& method_and_target, const std::string& fields = "") {
  RequestParser parser{Limits()};
  const std::string text = method_and_target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  const auto fed = parser.feed_head(std::as_bytes(std::span(text)));
  REQUIRE(fed.state == RequestParser::HeadState::kComplete);
  RouteOptions options{find_sink_strategy("blocking"), find_source_strategy("sendfile")};
  options.missing_uploads = {"direct"};
  options.missing_downloads = {"uring"};
  return RouteTable(std::move(options)).route(parser.head());
}

template <typename T>
T as(const Reply& reply) {
  if (const auto* problem = std::get_if<Problem>(&reply)) INFO(problem->detail);
  REQUIRE(std::holds_alternative<T>(reply));
  return std::get<T>(reply);
}

inline void refused(const std::string& method_and_target, int status, std::string_view type,
                    const std::string& fields = "") {
  INFO(method_and_target);
  const auto problem = as<Problem>(route(method_and_target, fields));
  CHECK(problem.status == status);
  CHECK(problem.type == type);
}

}  // namespace forklift
