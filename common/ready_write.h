#pragma once

#include <cstddef>
#include <string_view>

#include "common/result.h"

namespace forklift {

/// Writes what the descriptor takes now and says how many bytes that were: fewer than given, even 0, where a
/// pipe, a terminal or a socket takes no more. For logs, whose reader may have stopped reading: never waits
/// for one, and leaves the description's O_NONBLOCK alone, since other processes share it. A regular file is
/// written as ever. An error is one of write(2), with nothing written; EPIPE also raises SIGPIPE.
///
/// Where the kernel cannot do that by itself (RWF_NOWAIT: pipes since Linux 6.4, terminals never), the pipe
/// or terminal is opened anew by /proc/self/fd. Where that is refused, poll(2) is asked first: two who share
/// the pipe can then both be told of the same room.
Result<std::size_t> write_ready(int fd, std::string_view bytes);

}  // namespace forklift
