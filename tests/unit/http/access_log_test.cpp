#include "worker/http/access_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "support/catch.h"

namespace forklift {
namespace {

/// A log in a directory of its own, gone at the end.
struct LogFile {
  LogFile() {
    char name[] = "/tmp/forklift-log-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    directory = name;
    path = directory + "/access.log";
  }
  ~LogFile() { std::filesystem::remove_all(directory); }

  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string directory;
  std::string path;
};

AccessEntry entry_for(std::string_view target) {
  AccessEntry entry;
  entry.peer = "127.0.0.1";
  entry.method = "GET";
  entry.target = target;
  entry.status = 200;
  entry.body_bytes = 12;
  entry.referer = "http://r/";
  entry.user_agent = "curl/7";
  entry.duration = std::chrono::microseconds(345);
  entry.request_id = "id-1";
  entry.strategy = "sendfile";
  entry.now = 784111777;
  return entry;
}

}  // namespace

TEST_CASE("the access log is in combined format, with the duration, the request's id and the strategy") {
  LogFile file;
  auto log = AccessLog::open(file.path);
  REQUIRE(log.ok());
  log->add(entry_for("/files/a?b"));
  CHECK(file.text().empty());
  log->flush();
  const std::regex line(
      R"(127\.0\.0\.1 - - \[\d\d/Nov/1994:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /files/a\?b HTTP/1\.1" )"
      R"(200 12 "http://r/" "curl/7" 345 id-1 sendfile\n)");
  INFO(file.text());
  CHECK(std::regex_match(file.text(), line));
}

TEST_CASE("a client cannot forge a line of the access log") {
  LogFile file;
  auto log = AccessLog::open(file.path);
  REQUIRE(log.ok());
  AccessEntry entry = entry_for("/a\" 200");
  entry.user_agent = "x\"\r\n1.2.3.4 - - \\ \x1b[2J\xff";
  entry.referer = {};
  log->add(entry);
  log->flush();
  const std::string text = file.text();
  CHECK(text.find("\"GET /a\\x22 200 HTTP/1.1\"") != std::string::npos);
  CHECK(text.find("\"-\" \"x\\x22\\x0d\\x0a1.2.3.4 - - \\x5c \\x1b[2J\\xff\" 345") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("a request that could not be read is logged without a request line") {
  LogFile file;
  auto log = AccessLog::open(file.path);
  REQUIRE(log.ok());
  AccessEntry entry;
  entry.status = 400;
  log->add(entry);
  log->flush();
  CHECK(file.text().find("] \"-\" 400 0 \"-\" \"-\" 0 - -\n") != std::string::npos);
}

TEST_CASE("many lines are written before the turn ends, whole and none twice") {
  LogFile file;
  auto log = AccessLog::open(file.path);
  REQUIRE(log.ok());
  const std::string target(500, 'a');
  for (int i = 0; i < 100; ++i) {
    log->add(entry_for("/" + std::to_string(i) + target));
    CHECK((file.text().empty() || file.text().back() == '\n'));
  }
  CHECK_FALSE(file.text().empty());
  const std::string huge(3 * PIPE_BUF, 'b');
  log->add(entry_for(huge));
  log->flush();
  const std::string text = file.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 101);
  for (int i = 0; i < 100; ++i) CHECK(text.find("GET /" + std::to_string(i) + "a") != std::string::npos);
  CHECK(text.find(huge) != std::string::npos);
}

TEST_CASE("a rotated access log is opened anew, and kept where that fails") {
  LogFile file;
  auto log = AccessLog::open(file.path);
  REQUIRE(log.ok());
  log->add(entry_for("/old"));
  std::filesystem::rename(file.path, file.path + ".1");
  REQUIRE(log->reopen().ok());
  log->add(entry_for("/new"));
  log->flush();
  CHECK(file.text().find("/old") == std::string::npos);
  CHECK(file.text().find("/new") != std::string::npos);

  std::filesystem::remove(file.path);
  std::filesystem::create_directory(file.path);
  CHECK_FALSE(log->reopen().ok());
  log->add(entry_for("/lost from sight"));
  log->flush();
  CHECK(log->lost_writes() == 0);
}

TEST_CASE("an access log that cannot be written loses lines, not the worker") {
  auto log = AccessLog::open("/dev/full");
  REQUIRE(log.ok());
  log->add(entry_for("/"));
  log->flush();
  log->flush();
  CHECK(log->lost_writes() == 1);
  CHECK_FALSE(AccessLog::open("/nowhere/access.log").ok());
}

TEST_CASE("an access log that nobody reads keeps its lines up to a bound and counts the others") {
  LogFile file;
  REQUIRE(::mkfifo(file.path.c_str(), 0600) == 0);
  const UniqueFd reader(::open(file.path.c_str(), O_RDONLY | O_NONBLOCK));
  auto log = AccessLog::open(file.path);
  REQUIRE(log.ok());
  const std::string target(1000, 'a');
  std::uint64_t added = 0;
  for (; log->dropped_lines() < 10; ++added) {
    log->add(entry_for(target));
    log->flush();
  }
  CHECK(added * target.size() > AccessLog::kKeptBytesMax * 9 / 10);

  std::string text;
  char bytes[4096];
  for (bool more = true; more; log->flush()) {
    more = false;
    for (ssize_t got = 0; (got = ::read(reader.get(), bytes, sizeof bytes)) > 0; more = true)
      text.append(bytes, static_cast<std::size_t>(got));
  }
  CHECK(log->dropped_lines() == 0);  // said
  CHECK(static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')) == added - 10);
  CHECK(log->lost_writes() == 0);
}

}  // namespace forklift
