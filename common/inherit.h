#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forklift {

/// Which descriptor of a worker is what. Written down here and nowhere else; 0, 1 and 2 are /dev/null, the
/// master's standard output and its standard error.
inline constexpr int kChannelFd = 3;        // SOCK_SEQPACKET, to the master (common/channel.h)
inline constexpr int kScoreboardFd = 4;     // common/fleet_memory.h, to map one's own region
inline constexpr int kFleetFd = 5;          // the same, read-only: the siblings' regions
inline constexpr int kFirstListenerFd = 6;  // listening sockets, one after the other, non-blocking

/// The environment variable that carries an Inheritance. A worker unsets it once read; absent means that
/// the worker runs alone.
inline constexpr const char* kInheritVariable = "FORKLIFT_INHERIT";

/// What a worker is told about itself by the master that started it.
struct Inheritance {
  int slot = 0;                  // place in the fleet, from 0; two generations may share one
  std::uint64_t generation = 0;  // grows by one with each reload, from 1
  int listener_count = 0;        // descriptors from kFirstListenerFd on
  int region = 0;                // of the fleet's memory, this process's alone

  bool operator==(const Inheritance&) const = default;
};

/// "slot=0 generation=1 listeners=2 region=0"
std::string format_inheritance(const Inheritance& inheritance);

/// The reverse; nothing when the text is anything else.
std::optional<Inheritance> parse_inheritance(std::string_view text);

}  // namespace forklift
