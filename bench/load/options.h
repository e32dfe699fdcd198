#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/arrivals.h"
#include "common/result.h"

namespace forklift::load {

/// What one run of open_loop shall do: its command line, checked.
struct Options {
  std::string host;
  std::string port;
  std::string target;  // path and query

  std::string method;
  std::string body_file;  // empty: no body
  std::string content_type = "application/octet-stream";
  std::vector<std::string> fields;            // further header fields, "Name: value"
  bool unique = false;                        // a path of its own for each request
  bool one_shot = false;                      // a connection for each request
  std::optional<std::uint64_t> expect_bytes;  // of a 2xx answer's body

  /// The same, -1 for any.
  std::int64_t expected_bytes() const { return expect_bytes ? static_cast<std::int64_t>(*expect_bytes) : -1; }

  double rate = 0;  // requests a second
  Arrivals::Kind arrivals = Arrivals::Kind::kConstant;
  std::uint64_t seed = 1;
  nanoseconds duration{};
  nanoseconds warm_up{};
  nanoseconds timeout{};

  std::size_t connections_max = 0;
  std::size_t connections_at_start = 0;

  std::size_t slow_clients = 0;
  double slow_bytes_per_s = 0;
};

/// What cannot be done; the words are for the user, without a line end. Without words: --help was answered.
struct UsageError {
  std::string message;
  std::string help;
};

Result<Options, UsageError> parse_options(int argc, const char* const* argv);

}  // namespace forklift::load
