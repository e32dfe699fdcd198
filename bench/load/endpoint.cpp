#include "bench/load/endpoint.h"

#include <netdb.h>

#include <cstring>

namespace forklift::load {

Result<Endpoint, std::string> Endpoint::resolve(const std::string& host, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
  if (error != 0) return "cannot resolve " + host + ":" + port + ": " + ::gai_strerror(error);
  Endpoint endpoint;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return endpoint;
}

}  // namespace forklift::load
