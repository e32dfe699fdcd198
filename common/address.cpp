#include <charconv>

#include "common/listener.h"
#include "common/log.h"

namespace forklift {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

std::string complaint(std::string_view text, std::string_view reason) {
  return log::text("\"", text, "\" is no address to listen on: ", reason,
                   ". Allowed are HOST:PORT, [IPV6]:PORT and unix:PATH");
}

bool is_ipv4(std::string_view host) {
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, port);
  return problem == std::errc() && stopped == end;
}

}  // namespace

Result<Address, std::string> parse_address(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    if (path.empty()) return complaint(text, "the path is missing");
    return Address{Address::Family::kUnix, std::string(path), 0};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) return complaint(text, "the port is missing");
  Address address;
  if (!parse_port(text.substr(colon + 1), address.port)) {
    return complaint(text, "the port is not a number from 0 to 65535");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    address.family = Address::Family::kIpv6;
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return complaint(text, "an IPv6 address needs brackets");
  } else {
    if (host.empty()) host = "0.0.0.0";
    address.family = is_ipv4(host) ? Address::Family::kIpv4 : Address::Family::kName;
  }
  address.host = host;
  return address;
}

}  // namespace forklift
