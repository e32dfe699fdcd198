#include "common/options.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/option_table.h"
#include "support/catch.h"

using namespace forklift;
using Strings = std::vector<std::string>;

namespace {

/// A configuration file that goes with the test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "options-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

LoadedConfig loaded(const Strings& arguments, const Strings& environment = {}) {
  const auto result = load_config(arguments, environment);
  INFO((result ? "" : result.error().message));
  REQUIRE(result.ok());
  return *result;
}

Config config(const Strings& arguments, const Strings& environment = {}) {
  return loaded(arguments, environment).config;
}

std::string error(const Strings& arguments, const Strings& environment = {}) {
  const auto result = load_config(arguments, environment);
  REQUIRE_FALSE(result.ok());
  return result.error().message;
}

std::string error_in_file(const std::string& text) {
  const ConfigFile file(text);
  std::string message = error({"-c", file.path()});
  while (message.find(file.path()) != std::string::npos) {
    message.replace(message.find(file.path()), file.path().size(), "FILE");
  }
  return message;
}

std::string origin(const LoadedConfig& from, const std::string& name) {
  return from.origins.at(static_cast<std::size_t>(find_option(name) - option_table().data()));
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

/// Every option away from its default; paths that exist where they must. '|' stands between the arguments.
Strings unusual_arguments() {
  std::istringstream all(
      "--workers|3|--timeout|7s|--graceful-timeout|1500ms|--pid|/x/pid|--user|nobody|--group|nogroup|"
      "--umask|077|--worker-binary|a b|--bind|[::1]:9000|--bind|unix:s|--backlog|17|"
      "--root|--odd "
      "\"root\\|--sample|/etc/passwd|--durability|full|--durability-max|data|--upload-strategy|pool|"
      "--download-strategy|copy|--part-age|90m|--worker-connections|44|--keep-alive|61s|"
      "--header-timeout|11s|--stall-timeout|12s|--body-rate-min|0|--limit-body|1000001|"
      "--limit-headers|2K|--limit-header-count|9|--limit-target|99|--buffer-memory|64M|"
      "--log-level|debug|--access-logfile|-|--base64|libb64|--keep-uploads|9|--json-limit|1M|"
      "--spool-memory|8M|--accept|shared|--drain-min-rate|3K|--drain-idle-timeout|13s|--max-surge|5|"
      "--max-old-generations|6|--cache-control|no-store|--reserve-space|5G");
  Strings arguments;
  for (std::string argument; std::getline(all, argument, '|');) arguments.push_back(argument);
  return arguments;
}

}  // namespace

TEST_CASE("without anything every option has its default") {
  const LoadedConfig plain = loaded({});
  CHECK(plain.config.bind == Strings{"127.0.0.1:8000"});
  CHECK(plain.config.workers >= 1);
  CHECK(plain.config.limits.slab_bytes_max == 32u << 20);
  CHECK(origin(plain, "root") == "default");
  CHECK(origin(plain, "workers") == "default, auto");
}

TEST_CASE("every default is a value that the option allows") {
  for (const Option& option : option_table()) {
    for (const std::string& value : values_of(option, Config{})) {
      CAPTURE(name_of(option), value);
      CHECK_FALSE(problem_with(option, value));
    }
  }
}

TEST_CASE("flag comes before environment before file before default") {
  const ConfigFile file("backlog = 10\nroot = '/file'\numask = 0o027\n");
  const LoadedConfig all =
      loaded({"-c", file.path(), "--backlog", "30"}, {"FORKLIFT_BACKLOG=20", "FORKLIFT_ROOT=/environment"});
  CHECK(all.config.backlog == 30);
  CHECK(all.config.root == "/environment");
  CHECK(all.config.umask == 027);
  CHECK(origin(all, "backlog") == "command line");
  CHECK(origin(all, "root") == "FORKLIFT_ROOT");
  CHECK(origin(all, "umask") == file.path() + ":3");
  CHECK(origin(all, "user") == "default");
  CHECK(all.config_file == file.path());
}

TEST_CASE("the last one wins on the command line, in any spelling") {
  CHECK(config({"--keep-alive", "1", "--timeout-keep-alive", "2"}).keep_alive.count() == 2000);
  CHECK(config({"--timeout-keep-alive=2", "--keep-alive=1"}).keep_alive.count() == 1000);
  CHECK(config({"-w2", "-w", "3"}).workers == 3);
  CHECK(config({"--user", "nobody", "--user="}).user.empty());
}

TEST_CASE("addresses add up in one source and replace those below") {
  const ConfigFile file("bind = ['127.0.0.1:1', '127.0.0.1:2']\n");
  const Strings with_file{"-c", file.path()};
  CHECK(config(with_file).bind == Strings{"127.0.0.1:1", "127.0.0.1:2"});
  CHECK(config(with_file, {"FORKLIFT_BIND=[::]:3,unix:/x"}).bind == Strings{"[::]:3", "unix:/x"});
  CHECK(
      config({"-c", file.path(), "-b", "127.0.0.1:5", "--bind=127.0.0.1:4"}, {"FORKLIFT_BIND=[::]:3"}).bind ==
      Strings{"127.0.0.1:5", "127.0.0.1:4"});
}

TEST_CASE("host, port and uds are other ways to say bind") {
  CHECK(config({"--port", "9000"}).bind == Strings{"127.0.0.1:9000"});
  CHECK(config({"--host", "0.0.0.0"}).bind == Strings{"0.0.0.0:8000"});
  CHECK(config({"--host", "::1", "--port", "1"}).bind == Strings{"[::1]:1"});
  CHECK(config({"--uds", "/run/x.sock"}).bind == Strings{"unix:/run/x.sock"});
  CHECK(config({"--port", "9000"}, {"FORKLIFT_HOST=0.0.0.0"}).bind == Strings{"0.0.0.0:9000"});
  CHECK(origin(loaded({}, {"FORKLIFT_PORT=1", "FORKLIFT_HOST=::1"}), "bind") ==
        "FORKLIFT_PORT, FORKLIFT_HOST");
}

TEST_CASE("WEB_CONCURRENCY gives the workers below our own variable") {
  CHECK(config({}, {"WEB_CONCURRENCY=5"}).workers == 5);
  CHECK(config({}, {"WEB_CONCURRENCY=5", "FORKLIFT_WORKERS=6"}).workers == 6);
  CHECK(config({"-w", "7"}, {"WEB_CONCURRENCY=5"}).workers == 7);
  CHECK(origin(loaded({}, {"WEB_CONCURRENCY="}), "workers") == "default, auto");
  CHECK(contains(error({}, {"WEB_CONCURRENCY=lots"}), "--workers (from WEB_CONCURRENCY): 'lots'"));
}

TEST_CASE("a blank variable counts as unset") {
  CHECK(config({}, {"FORKLIFT_BACKLOG=", "FORKLIFT_BIND= "}).backlog == 2048);
}

TEST_CASE("auto workers are counted, not zero") {
  const LoadedConfig asked = loaded({"--workers", "auto"}, {"WEB_CONCURRENCY=500"});
  CHECK(asked.config.workers >= 1);
  CHECK(asked.config.workers < 500);
  CHECK(origin(asked, "workers") == "command line, auto");
}

TEST_CASE("a bad value names the option, its origin, the value and what is allowed") {
  CHECK(error({"-w", "0"}) ==
        "--workers (from command line): '0' is not valid; allowed: auto or a number from 1 to 1024");
  CHECK(error({}, {"FORKLIFT_DURABILITY=some"}) ==
        "--durability (from FORKLIFT_DURABILITY): 'some' is not valid; allowed: none, data or full");
  CHECK(error_in_file("\nkeep-alive = '5 minutes'\n") ==
        "--keep-alive (from FILE:2): '5 minutes' is not valid; allowed: a duration from 1ms to 1d, such as "
        "30s, "
        "500ms or 5m");
  CHECK(contains(error({"--limit-body", "10X"}), "a size from 1 to 1024TiB, such as 64M or 8MiB"));
  CHECK(contains(error({"-m", "999"}), "an octal number from 0 to 0777"));
  CHECK(contains(error({"-b", "nonsense"}), "--bind (from command line): 'nonsense' is not valid"));
  CHECK(contains(error({"--port", "70000"}), "a number from 0 to 65535"));
  CHECK(contains(error({"--sample", "/does/not/exist"}), "--sample"));
  CHECK(contains(error({"--root", ""}), "not empty"));
  CHECK(contains(error({"--root", std::string("a\nb")}), "control characters"));
}

TEST_CASE("a bad value is an error also where a higher source wins") {
  CHECK(contains(error({"--backlog", "5"}, {"FORKLIFT_BACKLOG=x"}), "FORKLIFT_BACKLOG"));
}

TEST_CASE("what is unknown is an error with a suggestion") {
  CHECK(error({"--wrokers", "2"}) == "unknown option '--wrokers'; did you mean '--workers'?");
  CHECK(error({"--check-confg"}) == "unknown option '--check-confg'; did you mean '--check-config'?");
  CHECK(error({"--keepalive=2"}) == "unknown option '--keepalive'; did you mean '--keep-alive'?");
  CHECK(error({"-Z"}) == "unknown option '-Z'");
  CHECK(error({"app:main"}) == "unexpected argument 'app:main'");
  CHECK(error({}, {"FORKLIFT_WORKER=2"}) ==
        "unknown environment variable 'FORKLIFT_WORKER'; did you mean 'FORKLIFT_WORKERS'?");
  CHECK(error_in_file("a = 1") == "FILE:1: unknown key 'a'");
  CHECK(error_in_file("[limits]\nbody = 1") == "FILE:1: unknown key 'limits'");
  CHECK(error_in_file("back_log = 1") == "FILE:1: unknown key 'back_log'; did you mean 'backlog'?");
}

TEST_CASE("a flag without its value is an error") { CHECK(contains(error({"--workers"}), "--workers")); }

TEST_CASE("a file that can't be read or parsed is an error that says where") {
  CHECK(contains(error({"-c", "/does/not/exist"}), "'/does/not/exist' can't be read: No such file"));
  CHECK(contains(error({"-c", "/tmp"}), "can't be read"));
  const std::string pipe = "/tmp/forklift-options-" + std::to_string(::getpid());
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(error({"-c", pipe}), "is a pipe"));
  ::unlink(pipe.c_str());
  CHECK(contains(error({}, {"FORKLIFT_CONFIG=/does/not/exist"}), "can't be read"));
  CHECK(contains(error_in_file("root = 'x'\nbacklog = = 3"), "FILE:2: "));
  CHECK(contains(error_in_file("backlog = [1]"), "takes one value, not a list"));
  CHECK(contains(error_in_file("backlog = true"), "neither text nor a number"));
  CHECK(contains(error_in_file("bind = []"), "the list is empty"));
  CHECK(contains(error_in_file("keep-alive = 1\nkeep_alive = 2"), "set twice"));
  CHECK(contains(error({}, {"FORKLIFT_KEEP_ALIVE=1", "FORKLIFT_TIMEOUT_KEEP_ALIVE=2"}), "set twice"));
}

TEST_CASE("a file may write numbers as numbers, and be empty") {
  const ConfigFile file("keep_alive = 0.25\nlimit-body = 4096\ntimeout = 3\nbind = 'unix:x'\numask = 26");
  const Config from_file = config({"-c", file.path()});
  CHECK(from_file.keep_alive.count() == 250);
  CHECK(from_file.limits.body_bytes_max == 4096);
  CHECK(from_file.timeout.count() == 3000);
  CHECK(from_file.bind == Strings{"unix:x"});
  CHECK(from_file.umask == 026);
  const ConfigFile empty("");
  CHECK(to_arguments(config({"-c", empty.path()})) == to_arguments(config({})));
}

TEST_CASE("the handover variable is no option and no mistake") {
  CHECK(config({}, {"FORKLIFT_INHERIT=slot=0", "PATH=/bin", "EMPTY"}).backlog == 2048);
  CHECK(is_our_variable("FORKLIFT_INHERIT"));
  CHECK(is_our_variable("FORKLIFT_ROOT"));
  CHECK_FALSE(is_our_variable("PATH"));
}

TEST_CASE("the arguments for a worker yield the same configuration") {
  for (const Strings& arguments : {Strings{"-w", "2"}, unusual_arguments()}) {
    const Config first = config(arguments);
    const LoadedConfig second = loaded(to_arguments(first));
    CHECK(to_arguments(second.config) == to_arguments(first));
    for (const Option& option : option_table()) {
      CAPTURE(name_of(option));
      CHECK(values_of(option, second.config) == values_of(option, first));
      if (!is_shorthand(option)) CHECK(origin(second, name_of(option)) == "command line");
    }
  }
}

TEST_CASE("the test above changes every option") {
  const Config unusual = config(unusual_arguments());
  for (const Option& option : option_table()) {
    if (is_shorthand(option)) continue;
    CAPTURE(name_of(option));
    CHECK(values_of(option, unusual) != values_of(option, Config{}));
  }
}

TEST_CASE("the printed configuration, read as a file, yields itself") {
  const LoadedConfig first = loaded(unusual_arguments());
  const ConfigFile file(config_text(first));
  const LoadedConfig second = loaded({"-c", file.path()});
  CHECK(to_arguments(second.config) == to_arguments(first.config));
  CHECK(contains(config_text(first), "bind = [\"[::1]:9000\", \"unix:s\"]  # command line\n"));
  CHECK(contains(config_text(first), "limit-body = \"1000001\"  # command line\n"));
}

TEST_CASE("help, version and the checks answer and end") {
  const auto run = [](const Strings& arguments) {
    return interpret_command_line(arguments, Strings{}, Program::kMaster);
  };
  CHECK(run({}).run);
  CHECK(run({"--version"}).out == "forklift " FORKLIFT_VERSION "\n");
  CHECK(contains(run({"-w", "2", "--help"}).out, "--graceful-timeout"));
  CHECK(run({"--check-config"}).run);
  CHECK(run({"--check-config"}).check_config);
  CHECK(run({"--check-config", "-w", "x"}).exit_code == 1);
  CHECK(contains(run({"--print-config"}).out, "durability = \"none\"  # default\n"));
  const CommandLineOutcome refused = run({"--nonsense"});
  CHECK(refused.exit_code == 2);
  CHECK_FALSE(refused.run);
  CHECK(contains(refused.err, "master: unknown option '--nonsense'"));
}

TEST_CASE("every option is in the help, in all its spellings") {
  const std::string help = interpret_command_line(Strings{"-h"}, Strings{}, Program::kWorker).out;
  for (const Option& option : option_table()) {
    for (const std::string& spelling : spellings_of(option)) CHECK(contains(help, "--" + spelling));
  }
}
