#include "common/option_table.h"

#include <array>
#include <type_traits>

namespace forklift {
namespace {

using Group = OptionGroup;
using Kind = ValueKind;

constexpr std::int64_t kMillisecond = 1;
constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kDay = 24 * 3600 * kSecond;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr std::int64_t kPiB = 1024 * 1024 * kGiB;

template <typename Owner, typename Value>
std::true_type is_limit(Value Limits::*, Owner*);
template <typename Owner, typename Value>
std::false_type is_limit(Value Config::*, Owner*);

template <auto kMember, typename AnyConfig>
auto& member_of(AnyConfig& config) {
  if constexpr (decltype(is_limit(kMember, &config))::value) {
    return config.limits.*kMember;
  } else {
    return config.*kMember;
  }
}

/// A member of Config or of its Limits: an integer, an enumeration or milliseconds.
template <auto kMember>
constexpr NumberField number() {
  using Number = std::remove_reference_t<decltype(member_of<kMember>(std::declval<Config&>()))>;
  return {
      [](const Config& config) {
        if constexpr (std::is_same_v<Number, std::chrono::milliseconds>) {
          return static_cast<std::int64_t>(member_of<kMember>(config).count());
        } else {
          return static_cast<std::int64_t>(member_of<kMember>(config));
        }
      },
      [](Config& config, std::int64_t value) { member_of<kMember>(config) = static_cast<Number>(value); }};
}

constexpr Range kNoRange{};
constexpr Range kTimeRange{kMillisecond, kDay};

constexpr std::array kTable{
    Option{"-w,--workers",
           Group::kProcess,
           Kind::kWorkers,
           "N|auto",
           number<&Config::workers>(),
           {1, 1024},
           "Worker processes; auto: one a usable CPU. Also WEB_CONCURRENCY"},
    Option{"-t,--timeout,--timeout-worker-healthcheck",
           Group::kProcess,
           Kind::kDuration,
           "TIME",
           number<&Config::timeout>(),
           {0, kDay},
           "Replace a worker whose event loop stood still for so long; 0: never"},
    Option{"--graceful-timeout,--timeout-graceful-shutdown",
           Group::kProcess,
           Kind::kDuration,
           "TIME",
           number<&Config::graceful_timeout>(),
           {0, kDay},
           "Longest wait for transfers at a stop"},
    Option{"--drain-min-rate",
           Group::kProcess,
           Kind::kSize,
           "SIZE",
           number<&Config::drain_rate_min>(),
           {0, kGiB},
           "A reload waits for transfers that move so many bytes a second; 0: that move at all"},
    Option{"--drain-idle-timeout", Group::kProcess, Kind::kDuration, "TIME",
           number<&Config::drain_idle_timeout>(), kTimeRange, "The time over which that is judged"},
    Option{"--max-surge",
           Group::kProcess,
           Kind::kCount,
           "N",
           number<&Config::max_surge>(),
           {1, 1024},
           "Workers beyond --workers that a reload may start at a time"},
    Option{"--max-old-generations",
           Group::kProcess,
           Kind::kCount,
           "N",
           number<&Config::old_generations_max>(),
           {1, 1024},
           "Reloads whose transfers may go on; above, a reload waits until those of one have ended"},
    Option{"-p,--pid", Group::kProcess, Kind::kText, "FILE", &Config::pid_file, kNoRange,
           "Write the master's process id there"},
    Option{"-u,--user", Group::kProcess, Kind::kText, "USER", &Config::user, kNoRange,
           "Workers become this user (name or number)"},
    Option{"-g,--group", Group::kProcess, Kind::kText, "GROUP", &Config::group, kNoRange,
           "Workers become this group (name or number)"},
    Option{"-m,--umask",
           Group::kProcess,
           Kind::kOctal,
           "OCTAL",
           number<&Config::umask>(),
           {0, 0777},
           "Permissions that new files and unix sockets don't get"},
    Option{"--worker-binary", Group::kProcess, Kind::kText, "FILE", &Config::worker_binary, kNoRange,
           "The worker program; none: found beside the master"},

    Option{"-b,--bind", Group::kListening, Kind::kAddress, "ADDRESS", &Config::bind, kNoRange,
           "HOST:PORT, [::]:PORT or unix:PATH; may be repeated"},
    Option{"--host", Group::kListening, Kind::kPath, "HOST", Shorthand{}, kNoRange,
           "With --port the same as --bind HOST:PORT; alone: port 8000"},
    Option{"--port",
           Group::kListening,
           Kind::kCount,
           "PORT",
           Shorthand{},
           {0, 65535},
           "With --host the same as --bind HOST:PORT; alone: host 127.0.0.1"},
    Option{"--uds", Group::kListening, Kind::kPath, "PATH", Shorthand{}, kNoRange,
           "The same as --bind unix:PATH"},
    Option{"--backlog",
           Group::kListening,
           Kind::kCount,
           "N",
           number<&Config::backlog>(),
           {1, 65535},
           "Connections that may wait to be accepted, listen(2)"},
    Option{"--accept", Group::kListening, Kind::kChoice, "gate|shared", number<&Config::accept>(), kNoRange,
           "Who takes a new connection: a worker that has the fewest, or whoever comes first"},

    Option{"--root", Group::kFiles, Kind::kPath, "DIR", &Config::root, kNoRange,
           "The directory that is served; made when missing"},
    Option{"--sample", Group::kFiles, Kind::kExistingFile, "FILE", &Config::sample, kNoRange,
           "What downloads that name no file serve; none: 256 KiB of noise"},
    Option{"--upload-strategy", Group::kFiles, Kind::kChoice,
           "blocking|pool|splice|direct|uring|whole|whole_job|spool", &Config::upload_strategy, kNoRange,
           "How PUT /files/NAME writes: worker --list-strategies says more; memory keeps nothing, so it is "
           "none"},
    Option{"--download-strategy", Group::kFiles, Kind::kChoice, "sendfile|sendfile_job|copy|pool|uring",
           &Config::download_strategy, kNoRange,
           "How GET /files/NAME reads: worker --list-strategies says more"},
    Option{"--cache-control", Group::kFiles, Kind::kText, "TEXT", &Config::cache_control, kNoRange,
           "What Cache-Control says of files; none: no such header"},
    Option{"--durability", Group::kFiles, Kind::kChoice, "none|data|full", number<&Config::durability>(),
           kNoRange, "Before an upload is answered: nothing, fdatasync, or fsync of its directory too"},
    Option{"--durability-max", Group::kFiles, Kind::kChoice, "none|data|full",
           number<&Config::durability_max>(), kNoRange,
           "The most that a request may ask for (Prefer: durability=full); never less than --durability"},
    Option{"--base64", Group::kFiles, Kind::kChoice, "auto|libb64|simd", number<&Config::base64>(), kNoRange,
           "Who decodes base64; auto: our vectors where the CPU has them, else libb64"},
    Option{"--keep-uploads",
           Group::kFiles,
           Kind::kCount,
           "N",
           number<&Config::uploads_kept>(),
           {0, 100'000},
           "Newest uploads to /files/upload/ that a worker keeps; older ones are removed, of one form too; "
           "0: all"},
    Option{"--part-age",
           Group::kFiles,
           Kind::kDuration,
           "TIME",
           number<&Config::part_age_max>(),
           {kSecond, 3650 * kDay},
           "Unfinished uploads of dead workers, older than this, are swept away"},
    Option{
        "--reserve-space",
        Group::kFiles,
        Kind::kSize,
        "SIZE",
        number<&Config::reserved_bytes>(),
        {0, kPiB},
        "Disk space that uploads leave free: one that does not fit beside it and beside those under way, of "
        "all workers, is refused before it is sent: 507. 0: uploads go on until the disk is full"},

    Option{"--worker-connections",
           Group::kConnections,
           Kind::kCount,
           "N",
           number<&Limits::connections_max>(),
           {1, 1'000'000},
           "Open connections a worker has at most; further ones wait"},
    Option{"--keep-alive,--timeout-keep-alive", Group::kConnections, Kind::kDuration, "TIME",
           number<&Config::keep_alive>(), kTimeRange, "Longest idle time between two requests"},
    Option{"--header-timeout", Group::kConnections, Kind::kDuration, "TIME",
           number<&Config::header_timeout>(), kTimeRange, "Longest time a request's header may take"},
    Option{"--stall-timeout", Group::kConnections, Kind::kDuration, "TIME", number<&Config::stall_timeout>(),
           kTimeRange, "Longest time a transfer may stand still"},
    Option{"--body-rate-min",
           Group::kConnections,
           Kind::kSize,
           "SIZE",
           number<&Config::body_rate_min>(),
           {0, kGiB},
           "Slowest that an upload may be, in bytes a second, on average and over each --stall-timeout of "
           "waiting for it; 0: any"},

    Option{"--limit-body",
           Group::kLimits,
           Kind::kSize,
           "SIZE",
           number<&Limits::body_bytes_max>(),
           {1, kPiB},
           "Largest request body; above: 413"},
    Option{"--json-limit",
           Group::kLimits,
           Kind::kSize,
           "SIZE",
           number<&Limits::json_bytes_max>(),
           {kKiB, 2 * kGiB},
           "Largest JSON body; above: 413. One over 1MiB may hold one long string, the file, and 1MiB beside "
           "it. Bodies are gathered in memory: those of a worker take at most twice this, or 64MiB more than "
           "this where that is more, and 8MiB that are only for those that announce 1MiB or less"},
    Option{"--limit-headers",
           Group::kLimits,
           Kind::kSize,
           "SIZE",
           number<&Limits::header_bytes_max>(),
           {kKiB, kMiB},
           "Largest request line and header together; above: 431"},
    Option{"--limit-header-count,--limit-request-fields",
           Group::kLimits,
           Kind::kCount,
           "N",
           number<&Limits::header_count_max>(),
           {1, 10'000},
           "Most header fields of a request; above: 431"},
    Option{"--limit-target",
           Group::kLimits,
           Kind::kSize,
           "SIZE",
           number<&Limits::target_bytes_max>(),
           {16, 64 * kKiB},
           "Longest request target; above: 414"},
    Option{"--spool-memory",
           Group::kLimits,
           Kind::kSize,
           "SIZE",
           number<&Limits::spool_bytes_max>(),
           {2 * static_cast<std::int64_t>(kSlabBytes), 1024 * kGiB},
           "Memory of a worker for bodies gathered whole; above: temporary files. With --buffer-memory it "
           "takes at "
           "most the larger of the two and a quarter of the smaller"},
    Option{"--buffer-memory",
           Group::kLimits,
           Kind::kSize,
           "SIZE",
           number<&Limits::slab_bytes_max>(),
           {4 * static_cast<std::int64_t>(kSlabBytes), 1024 * kGiB},
           "Memory of a worker for bodies in flight; above: it stops reading"},

    Option{"--log-level", Group::kLogging, Kind::kChoice, "debug|info|warning|error|critical",
           &Config::log_level, kNoRange, "What is worth a line on standard error"},
    Option{"--access-logfile", Group::kLogging, Kind::kText, "FILE", &Config::access_logfile, kNoRange,
           "A line for each request; -: standard output"},
};

}  // namespace

std::span<const Option> option_table() { return kTable; }

const char* to_string(OptionGroup group) {
  switch (group) {
    case Group::kProcess:
      return "Processes";
    case Group::kListening:
      return "Listening";
    case Group::kFiles:
      return "Files";
    case Group::kConnections:
      return "Connections";
    case Group::kLimits:
      return "Limits";
    case Group::kLogging:
      return "Logging";
  }
  return "";
}

}  // namespace forklift
