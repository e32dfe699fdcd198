#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forklift {

/// Which descriptor of a worker is what. Written down here and nowhere else; 0, 1 and 2 are /dev/null, the
/// master's standard output and its standard error.
inline constexpr int kChannelFd = 3;     // SOCK_SEQPACKET, the other end is the master's (common/channel.h)
inline constexpr int kScoreboardFd = 4;  // memfd of this worker's own region (common/scoreboard.h)
inline constexpr int kFirstListenerFd = 5;  // listening sockets, one after the other, non-blocking

/// The environment variable that carries an Inheritance. A worker unsets it once read; absent means that
/// the worker runs alone.
inline constexpr const char* kInheritVariable = "FORKLIFT_INHERIT";

/// What a worker is told about itself by the master that started it.
struct Inheritance {
  int slot = 0;                  // place in the fleet, from 0; two generations may share one
  std::uint64_t generation = 0;  // grows by one with each reload, from 1
  int listener_count = 0;        // descriptors from kFirstListenerFd on

  bool operator==(const Inheritance&) const = default;
};

/// "slot=0 generation=1 listeners=2"
std::string format_inheritance(const Inheritance& inheritance);

/// The reverse; nothing when the text is anything else.
std::optional<Inheritance> parse_inheritance(std::string_view text);

}  // namespace forklift
