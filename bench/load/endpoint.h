#pragma once

#include <sys/socket.h>

#include <string>

#include "common/result.h"

namespace forklift::load {

/// Where the server listens, resolved once.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  /// The first address of a name, as getaddrinfo(3) orders them; the error is a sentence.
  static Result<Endpoint, std::string> resolve(const std::string& host, const std::string& port);
};

}  // namespace forklift::load
