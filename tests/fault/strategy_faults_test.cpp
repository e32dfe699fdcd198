// Every file call a strategy makes, failed in turn, for every strategy.

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <string>

#include "support/fault_file_ops.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

/// Spool memory for a whole body, and too little for one.
constexpr std::size_t kSpoolBytesEnough = 64 * kSlabBytes;
constexpr std::size_t kSpoolBytesScarce = 2 * kSlabBytes;

/// A fixture that knows no fault yet, and leaves none.
struct FaultyFixture : ContractFixture {
  explicit FaultyFixture(std::size_t spool_bytes_max = kSpoolBytesEnough)
      : ContractFixture(64 * kSlabBytes, Durability::kFull, spool_bytes_max) {
    faults::reset();
  }
  ~FaultyFixture() { faults::reset(); }
};

struct ErrnoCase {
  int os_error;
  ErrorCode code;
};

constexpr ErrnoCase kErrnos[] = {{ENOSPC, ErrorCode::kNoSpace},
                                 {EDQUOT, ErrorCode::kNoSpace},
                                 {EIO, ErrorCode::kIo},
                                 {EMFILE, ErrorCode::kTooManyOpen}};

const std::string& body() {
  static const std::string instance = body_of(3 * kSlabBytes + 7);
  return instance;
}

std::unique_ptr<Upload> run_upload(StrategyFixture& f, const SinkStrategy& strategy, bool from_socket) {
  auto upload = std::make_unique<Upload>(f, strategy, UploadTarget{"d/e", PublishMode::kReplace});
  if (!from_socket) {
    upload->write(body(), {kSlabBytes});
    CHECK(f.turns.run_until([&] { return upload->over(); }));
    return upload;
  }
  SocketPair pair = tcp_pair();
  upload->receive(std::move(pair.server), body().size());
  ClientThread client([&] { send_all(pair.client.get(), body()); });
  CHECK(f.turns.run_until([&] { return upload->over(); }));
  ::shutdown(pair.client.get(), SHUT_RDWR);
  return upload;
}

/// What an upload by this strategy asks of the system when nothing fails. How a part is thrown away is not
/// in it: nobody could be told that this failed.
std::multiset<std::string> calls_of(const SinkStrategy& strategy, bool from_socket,
                                    std::size_t spool_bytes_max) {
  FaultyFixture f(spool_bytes_max);
  REQUIRE(run_upload(f, strategy, from_socket)->done());
  f.turns.run_until([&] { return f.quiet(); });
  const auto calls = faults::calls();
  return {calls.begin(), calls.end()};
}

bool only_directories_in(const fs::path& root) {
  const auto names = visible_in(root);
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return fs::is_directory(root / name); });
}

void check_every_call_failing(const SinkStrategy& strategy, bool from_socket, std::size_t spool_bytes_max) {
  const auto calls = calls_of(strategy, from_socket, spool_bytes_max);
  REQUIRE(calls.count("sync_data") == (strategy.kept ? 1 : 0));
  for (auto call = calls.begin(); call != calls.end(); call = calls.upper_bound(*call)) {
    if (*call == "unlink_at") continue;
    for (const auto& [os_error, code] : kErrnos) {
      INFO(strategy.name << (from_socket ? " from a socket: " : ": ") << *call << " " << os_error);
      FaultyFixture f(spool_bytes_max);
      faults::fail(*call, os_error);
      CHECK(run_upload(f, strategy, from_socket)->failed_with(code));
      f.check_clean();
      CHECK(only_directories_in(f.root));
    }
  }
}

TEST_CASE("an upload whose disk fails at any call says why and leaves nothing, by every strategy") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const bool from_socket : {false, true}) {
      for (const std::size_t spool_bytes_max : {kSpoolBytesEnough, kSpoolBytesScarce}) {
        check_every_call_failing(strategy, from_socket, spool_bytes_max);
      }
    }
  }
}

TEST_CASE("an upload whose disk fails at a later write says why and leaves nothing") {
  for (const SinkStrategy& strategy : sinks_here()) {
    const auto calls = calls_of(strategy, false, kSpoolBytesScarce);
    for (const char* operation : {"write_some", "write_at", "write_vector", "write_vector_at"}) {
      // A strategy may join chunks, so it makes at least two calls, not always as many.
      if (calls.count(operation) < 2) continue;
      INFO(strategy.name << " " << operation);
      FaultyFixture f(kSpoolBytesScarce);
      faults::fail(operation, ENOSPC, 2);
      CHECK(run_upload(f, strategy, false)->failed_with(ErrorCode::kNoSpace));
      f.check_clean();
      CHECK(only_directories_in(f.root));
    }
  }
}

TEST_CASE("writes that take less than they were given go on where they stopped") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const bool from_socket : {false, true}) {
      INFO(strategy.name);
      FaultyFixture f(kSpoolBytesScarce);
      faults::limit_transfers(9973);
      REQUIRE(run_upload(f, strategy, from_socket)->done());
      if (strategy.kept) CHECK((content_of(f.root / "d/e") == body()));
      f.check_clean();
    }
  }
}

TEST_CASE("a write that a signal interrupts is made again") {
  for (const SinkStrategy& strategy : sinks_here()) {
    INFO(strategy.name);
    FaultyFixture f(kSpoolBytesScarce);
    for (const char* operation : {"open_at", "write_some", "write_at", "write_vector", "splice_to_file"}) {
      faults::fail(operation, EINTR);
    }
    REQUIRE(run_upload(f, strategy, true)->done());
    if (strategy.kept) CHECK((content_of(f.root / "d/e") == body()));
    f.check_clean();
  }
}

TEST_CASE("an upload that is destroyed while its disk fails leaves nothing") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (int steps = 1; steps <= 6; ++steps) {
      INFO(strategy.name << " after " << steps);
      FaultyFixture f;
      faults::fail_always("write_some", EIO);
      {
        Upload upload(f, strategy, {"d/e", PublishMode::kReplace});
        upload.stop_after(steps);
        upload.write(body(), {5000});
        CHECK(f.turns.run_until([&] { return upload.over() || upload.stopped(); }));
      }
      f.check_clean();
      CHECK(only_directories_in(f.root));
    }
  }
}

TEST_CASE("without O_TMPFILE what is spooled lies in a file that loses its name at once") {
  for (const char* name : {"memory", "spool"}) {
    INFO(name);
    FaultyFixture f(kSpoolBytesScarce);
    faults::fail("open_at", EOPNOTSUPP);
    CHECK(run_upload(f, *find_sink_strategy(name), true)->done());
    CHECK(faults::count("unlink_at") == 1);
    f.check_clean();
  }
}

/// Downloads "file" to a client that reads all; what the client got.
std::string run_download(StrategyFixture& f, const SourceStrategy& strategy, ErrorCode* failed_with) {
  SocketPair pair = tcp_pair();
  std::string received;
  Download download(f, strategy, "file", std::move(pair.server));
  ClientThread client([&] { received = receive_all(pair.client.get(), body().size()); });
  CHECK(f.turns.run_until([&] { return download.over(); }));
  if (failed_with != nullptr) {
    REQUIRE(download.error());
    *failed_with = download.error()->code;
    ::shutdown(pair.client.get(), SHUT_RDWR);
  }
  client.join();
  return received;
}

/// Calls that only ask what is in memory, or hint: without an answer a download goes on.
bool only_asks(const std::string& call) {
  return call == "cached_pages" || call == "read_now" || call == "read_ahead";
}

TEST_CASE("a download whose disk fails at any call says why, by every source") {
  for (const SourceStrategy& strategy : sources_here()) {
    FaultyFixture plain;
    write_file(plain.root / "file", body());
    CHECK(run_download(plain, strategy, nullptr) == body());
    const auto recorded = faults::calls();
    for (const std::string& call : std::set<std::string>(recorded.begin(), recorded.end())) {
      for (const auto& [os_error, code] : kErrnos) {
        INFO(strategy.name << " " << call << " " << os_error);
        FaultyFixture f;
        write_file(f.root / "file", body());
        faults::fail(call, os_error);
        if (only_asks(call)) {
          CHECK(run_download(f, strategy, nullptr) == body());
          continue;
        }
        ErrorCode failed_with{};
        const std::string received = run_download(f, strategy, &failed_with);
        CHECK(failed_with == code);
        CHECK(received.size() < body().size());
        f.check_clean();
      }
    }
  }
}

TEST_CASE("reads that give less than was asked for go on where they stopped") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    FaultyFixture f;
    write_file(f.root / "file", body());
    faults::limit_transfers(9973);
    faults::fail("read_at", EINTR, 3);
    faults::fail("send_file", EINTR, 3);
    CHECK(run_download(f, strategy, nullptr) == body());
  }
}

}  // namespace
}  // namespace forklift
