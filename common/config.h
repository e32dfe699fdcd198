#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/limits.h"

namespace forklift {

/// How far an upload has gone when it is answered. The answer says which.
enum class Durability : std::uint8_t {
  kNone,  // in the page cache
  kData,  // fdatasync(2) of the file before it is published
  kFull,  // kData, and fsync(2) of the directory after it is published
};

const char* to_string(Durability durability);

/// Which worker of a fleet takes a connection that waits.
enum class AcceptMode : std::uint8_t {
  kGate,    // one of those with the fewest (worker/http/accept_gate.h)
  kShared,  // whoever comes first
};

/// Who decodes base64 (worker/upload/base64.h).
enum class Base64Choice : std::uint8_t {
  kAuto,  // ours where this CPU has vectors for it, else libb64
  kLibb64,
  kSimd,
};

/// Every setting, resolved: flag over environment over file over default. Plain data, made by
/// common/options, read-only afterwards. The master and the worker have the same one.
struct Config {
  // Process
  int workers = 0;                                  // never 0 once resolved
  std::vector<std::string> bind{"127.0.0.1:8000"};  // also "[::]:8000", "unix:/run/x.sock"
  int backlog = 2048;                               // listen(2)
  AcceptMode accept = AcceptMode::kGate;
  std::string worker_binary;  // empty: found beside the master
  std::string pid_file;       // empty: none
  std::string user;           // empty: stay who we are
  std::string group;
  unsigned umask = 027;
  std::chrono::milliseconds timeout{30000};  // a loop that stood still that long is replaced; 0: never
  std::chrono::milliseconds graceful_timeout{30000};    // a stop may take that long
  std::uint64_t drain_rate_min = 1024;                  // bytes/s of a transfer while its worker drains
  std::chrono::milliseconds drain_idle_timeout{30000};  // over which that is averaged
  int max_surge = 1;                                    // extra workers that a reload may have at a time
  int old_generations_max = 8;                          // that may drain beside the one that serves

  // Files
  std::string root = "./data";
  std::string sample;                          // file that downloads without a name serve; empty: none
  std::string upload_strategy = "blocking";    // of PUT /files/NAME
  std::string download_strategy = "sendfile";  // of GET /files/NAME
  std::string cache_control;                   // Cache-Control of GET /files/NAME; empty: none
  Durability durability = Durability::kNone;
  Durability durability_max = Durability::kFull;  // what a request may ask for
  Base64Choice base64 = Base64Choice::kAuto;
  std::size_t uploads_kept = 0;  // of the article's endpoints, newest first, a worker; 0: all
  std::chrono::milliseconds part_age_max{600'000};  // what the dead left and is older, is swept
  std::uint64_t reserved_bytes = 0;  // of the disk, that uploads leave free; 0: they are not counted

  // Connections
  std::chrono::milliseconds keep_alive{5000};       // idle between requests
  std::chrono::milliseconds header_timeout{10000};  // from the first byte (or the accept) to the last header
  std::chrono::milliseconds stall_timeout{30000};   // a transfer that stands still, either way
  std::uint64_t body_rate_min = 1024;               // bytes/s of a request body, averaged; 0: any
  Limits limits;

  // Logging
  std::string log_level = "info";
  std::string access_logfile;  // empty: none; "-": standard output
};

}  // namespace forklift
