#include "bench/load/options.h"

#include <CLI/CLI.hpp>
#include <map>
#include <string_view>
#include <utility>

namespace forklift::load {
namespace {

const char* const kDescription =
    "Sends requests at a fixed rate, whether or not the server keeps up, and counts the latency of each from "
    "when it\n"
    "was meant to start. Prints one JSON object. Exit codes: 0 the load was made (errors of the server are "
    "in the\n"
    "JSON), 1 it could not be made, 2 usage.";

/// Seconds as they are written, before they become durations.
struct Seconds {
  double duration = 10;
  double warm_up = 1;
  double timeout = 20;
};

/// CLI11's own speaks of the largest number there is.
std::string not_positive(const std::string& text) {
  double number = 0;
  return CLI::detail::lexical_cast(text, number) && number > 0 ? "" : "'" + text + "' is not above 0";
}

nanoseconds nanoseconds_of(double seconds) { return nanoseconds(static_cast<std::int64_t>(seconds * 1e9)); }

/// "http://host:port/path?query" into its parts; false if it is nothing like that.
bool split_url(std::string_view url, Options& options) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme) || url.find_first_of(" \t\r\n") != std::string_view::npos) return false;
  url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, slash);
  options.target = slash == url.size() ? "/" : std::string(url.substr(slash));
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end =
      bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return false;
  options.host = authority.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  authority.remove_prefix(host_end + (bracketed ? 1 : 0));
  if (!authority.empty() && (authority.front() != ':' || authority.size() == 1)) return false;
  options.port = authority.empty() ? "80" : std::string(authority.substr(1));
  return !options.host.empty() && options.port.find_first_not_of("0123456789") == std::string::npos;
}

void add_request_options(CLI::App& app, Options& options, std::string& url) {
  app.add_option("URL", url, "http://HOST:PORT/PATH?QUERY")->required();
  app.add_option("-X,--method", options.method, "Method [GET, or POST when there is a body]");
  app.add_option("-b,--body", options.body_file, "Send this file as the body")->check(CLI::ExistingFile);
  app.add_option("-t,--content-type", options.content_type, "Type of the body")->capture_default_str();
  app.add_option("-H,--header", options.fields, "A further header field, \"Name: value\"; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--unique", options.unique, "End each path in a number of its own");
  app.add_flag("--one-shot", options.one_shot, "A new connection for each request (Connection: close)");
  app.add_option("--expect-bytes", options.expect_bytes, "What a 2xx answer's body must measure");
}

void add_load_options(CLI::App& app, Options& options, Seconds& seconds) {
  const std::map<std::string, Arrivals::Kind> kinds{{"constant", Arrivals::Kind::kConstant},
                                                    {"poisson", Arrivals::Kind::kPoisson}};
  app.add_option("-r,--rate", options.rate, "Requests a second")->required()->check(not_positive);
  app.add_option("--arrivals", options.arrivals, "constant (the default) or poisson")
      ->transform(CLI::CheckedTransformer(kinds));
  app.add_option("--seed", options.seed, "Of --arrivals poisson")->capture_default_str();
  app.add_option("-d,--duration", seconds.duration, "Seconds, after the warm-up")
      ->capture_default_str()
      ->check(not_positive);
  app.add_option("--warm-up", seconds.warm_up, "Seconds that are thrown away first")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--timeout", seconds.timeout, "Seconds after its intended start when a request is given up")
      ->capture_default_str()
      ->check(not_positive);
  app.add_option("-c,--connections", options.connections_max,
                 "At most so many; a request that finds none waits")
      ->capture_default_str()
      ->check(not_positive);
  app.add_option("--open", options.connections_at_start,
                 "Connections made before the load; the others when needed")
      ->capture_default_str();
  app.add_option("--slow", options.slow_clients, "Further connections that trickle the same request")
      ->capture_default_str();
  app.add_option("--slow-bytes-per-s", options.slow_bytes_per_s, "How fast each of them sends or reads")
      ->capture_default_str()
      ->check(not_positive);
}

/// What CLI11 cannot see; empty: nothing.
std::string complaint(const Options& options) {
  if (options.connections_at_start > options.connections_max) return "--open is above --connections";
  if (options.one_shot && options.connections_at_start > 0) return "--open means nothing with --one-shot";
  if (options.method == "HEAD") return "HEAD is not supported: its answers have no body to check";
  return "";
}

}  // namespace

Result<Options, UsageError> parse_options(int argc, const char* const* argv) {
  Options options;
  options.connections_max = 100;
  options.slow_bytes_per_s = 10'000;
  Seconds seconds;
  std::string url;
  CLI::App app(kDescription, "open_loop");
  add_request_options(app, options, url);
  add_load_options(app, options, seconds);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return UsageError{"", app.help()};
  } catch (const CLI::ParseError& error) {
    return UsageError{error.what(), ""};
  }
  if (!split_url(url, options)) return UsageError{"'" + url + "' is not http://HOST:PORT/PATH", ""};
  if (options.method.empty()) options.method = options.body_file.empty() ? "GET" : "POST";
  if (std::string wrong = complaint(options); !wrong.empty()) return UsageError{std::move(wrong), ""};
  options.duration = nanoseconds_of(seconds.duration);
  options.warm_up = nanoseconds_of(seconds.warm_up);
  options.timeout = nanoseconds_of(seconds.timeout);
  return options;
}

}  // namespace forklift::load
