// Downloads of what is not in memory, as the system says it or cannot say it, and when the disk fails
// meanwhile.

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "support/fault_file_ops.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

struct FaultyFixture : ContractFixture {
  FaultyFixture() {
    faults::reset();
    write_file(root / "file", body());
  }
  ~FaultyFixture() { faults::reset(); }

  static const std::string& body() {
    static const std::string instance = body_of(2 * kReadAheadBytes + 4711);
    return instance;
  }
};

std::vector<SourceStrategy> file_sources() {
  std::vector<SourceStrategy> found;
  for (const SourceStrategy& strategy : sources_here()) {
    if (!strategy.sees_bytes) found.push_back(strategy);
  }
  REQUIRE(found.size() >= 2);
  return found;
}

/// A system that says of everything that it is not in memory.
void make_cold() {
  faults::fail_always("cached_pages", ENOSYS);
  faults::fail_always("read_now", EAGAIN);
}

struct Outcome {
  std::string received;
  std::optional<Error> error;
};

Outcome download(StrategyFixture& f, const SourceStrategy& strategy) {
  Outcome outcome;
  SocketPair pair = tcp_pair();
  std::optional<Download> download(std::in_place, f, strategy, "file", std::move(pair.server));
  ClientThread client(
      [&] { outcome.received = receive_all(pair.client.get(), FaultyFixture::body().size()); });
  CHECK(f.turns.run_until([&] { return download->over(); }));
  outcome.error = download->error();
  download.reset();
  client.join();
  return outcome;
}

TEST_CASE("what is not in memory is read by parts before it is sent, whatever the reads give") {
  for (const SourceStrategy& strategy : file_sources()) {
    for (const std::size_t transfer_max : {0u, 9973u}) {
      INFO(strategy.name << " " << transfer_max);
      FaultyFixture f;
      make_cold();
      faults::limit_transfers(transfer_max);
      faults::fail("read_at", EINTR, 2);
      faults::fail("read_ahead", EIO, 2);
      CHECK((download(f, strategy).received == FaultyFixture::body()));
      CHECK(faults::count("read_ahead") >= 3);
      f.check_clean();
    }
  }
}

TEST_CASE("a disk that fails while a part is read ahead ends the download and says why") {
  for (const SourceStrategy& strategy : file_sources()) {
    INFO(strategy.name);
    FaultyFixture f;
    make_cold();
    faults::fail("read_at", EIO, 20);  // in the second part
    const Outcome outcome = download(f, strategy);
    REQUIRE(outcome.error);
    CHECK(outcome.error->code == ErrorCode::kIo);
    CHECK(outcome.error->os_error == EIO);
    CHECK((outcome.received == FaultyFixture::body().substr(0, kReadAheadBytes)));
    f.check_clean();
  }
}

TEST_CASE("what is in memory is not read, nor asked for again by the next download") {
  for (const SourceStrategy& strategy : file_sources()) {
    INFO(strategy.name);
    FaultyFixture f;
    for (int round = 0; round < 2; ++round) {
      faults::forget_calls();
      CHECK((download(f, strategy).received == FaultyFixture::body()));
      CHECK(faults::count("read_at") == 0);
      CHECK(faults::count("cached_pages") == (round == 0 ? 3 : 0));
    }
  }
}

TEST_CASE("a system that cannot tell what is in memory is not asked to read it") {
  for (const SourceStrategy& strategy : file_sources()) {
    INFO(strategy.name);
    FaultyFixture f;
    faults::fail_always("cached_pages", EPERM);
    faults::fail_always("read_now", EOPNOTSUPP);
    faults::fail_always("open_cached", EINVAL);
    CHECK((download(f, strategy).received == FaultyFixture::body()));
    CHECK(faults::count("read_at") == 0);
    f.check_clean();
  }
}

TEST_CASE("a name that is not in memory is looked for on the pool") {
  const SourceStrategy& strategy = *find_source_strategy("sendfile");
  FaultyFixture f;
  faults::fail("open_cached", EAGAIN);
  CHECK((download(f, strategy).received == FaultyFixture::body()));
  if (faults::count("open_cached") == 0) {
    WARN("SKIPPED: no openat2 here");
    return;
  }
  CHECK(faults::count("open_beneath") == 1);
  faults::forget_calls();
  CHECK((download(f, strategy).received == FaultyFixture::body()));
  CHECK(faults::count("open_beneath") == 0);
}

TEST_CASE("a download that is given up while a part is read ahead leaves nothing behind") {
  for (const SourceStrategy& strategy : file_sources()) {
    bool over = false;
    for (int steps = 0; !over; ++steps) {
      INFO(strategy.name << " after " << steps << " steps");
      REQUIRE(steps < 1000);
      FaultyFixture f;
      make_cold();
      {
        SocketPair pair = tcp_pair();
        Download download(f, strategy, "file", std::move(pair.server));
        ClientThread client([&] { receive_all(pair.client.get()); });
        download.stop_after(steps);
        CHECK(f.turns.run_until([&] { return download.over() || download.stopped(); }));
        over = download.over();
        ::shutdown(pair.client.get(), SHUT_RDWR);
      }
      f.check_clean();
    }
  }
}

}  // namespace
}  // namespace forklift
