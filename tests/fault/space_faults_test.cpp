#include <sys/statvfs.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/fault_file_ops.h"
#include "support/tiny_disk.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

constexpr std::uint64_t kBlock = 4096;

/// A small disk of its own, of which one worker that stands alone gives away all.
struct SmallDisk {
  TinyDisk disk;

  explicit SmallDisk(const char* size = "4m") : disk(size) {
    faults::reset();
    if (!disk.made()) WARN("SKIPPED: this process may not make file systems (it must be root)");
  }
  ~SmallDisk() { faults::reset(); }

  explicit operator bool() const { return disk.made(); }

  /// Asks the system itself: nobody is told.
  std::uint64_t free_bytes() const {
    struct statvfs status {};
    if (::statvfs((disk.path() + "/").c_str(), &status) != 0) return 0;
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  }
};

struct AloneFixture : SmallDisk {
  std::unique_ptr<FileStore> store =
      *this ? std::make_unique<FileStore>(FileStore::open(disk.path() + "/root").value()) : nullptr;
  Scoreboard board{};
  std::unique_ptr<SpaceReserve> space =
      store ? std::make_unique<SpaceReserve>(*store, board, nullptr, 0) : nullptr;

  bool take(std::uint64_t bytes) const { return space->take(bytes).value().given; }
};

/// Runs `act` once, when somebody has just looked what is free.
template <typename Act>
void after_the_next_look(Act act) {
  faults::watch([act, done = false](std::string_view moment) mutable {
    if (done || moment != "looked") return;
    done = true;
    act();
  });
}

TEST_CASE("a disk that does not say what is free gets no promise, and one interrupted is asked again") {
  faults::reset();
  StoreFixture f;
  Scoreboard board{};
  SpaceReserve space(f.store, board, nullptr, 0);
  faults::fail_always("stat_disk", EIO);
  CHECK(code_of(space.take(1)) == ErrorCode::kIo);
  CHECK_FALSE(space.take_if_plenty(1));
  CHECK(board.space_asked.load() == 0);
  CHECK(board.space_promised.load() == 0);
  faults::reset();
  faults::fail("stat_disk", EINTR);
  CHECK(space.take(1).value().given);
  CHECK(board.space_promised.load() == 1);
}

TEST_CASE("of two that look at the same time one alone is promised what is there but once") {
  AloneFixture f;
  if (!f) return;
  const std::uint64_t all = f.free_bytes();
  bool other = true;
  after_the_next_look([&] { other = f.take(all); });
  CHECK(f.take(all));
  CHECK_FALSE(other);
  CHECK(f.board.space_promised.load() == all);
  CHECK(f.board.space_asked.load() == 0);
}

TEST_CASE("what is written just after somebody looked is not taken for free") {
  AloneFixture f;
  if (!f) return;
  const std::uint64_t all = f.free_bytes();
  const std::string bytes(static_cast<std::size_t>(all / 2 / kBlock * kBlock), 'x');
  auto claim = std::make_shared<SpaceClaim>(*f.space, 1);
  REQUIRE(claim->grow(bytes.size(), bytes.size()).value().given);
  PartFile part = f.store->begin().value();
  part.charge(claim);
  bool written = false;
  after_the_next_look([&] { written = part.write(bytes_of(bytes)).ok(); });
  CHECK_FALSE(f.take(all - bytes.size() + 1));
  CHECK(written);
  CHECK(f.board.space_promised.load() == 0);
  CHECK(f.take(all - bytes.size()));
}

/// One upload by one strategy on a small disk, watched at each of its file calls.
struct WatchedUpload : SmallDisk {
  WatchedUpload() : SmallDisk("32m") {}

  /// At its worst, how many bytes it had neither taken nor was promised.
  std::int64_t most_uncounted(const SinkStrategy& strategy, std::size_t size) {
    StrategyFixture f(disk.path() + "/" + std::string(strategy.name));
    if (!strategy.probe(f.store).ok()) return 0;
    Scoreboard board{};
    SpaceReserve space(f.store, board, nullptr, 0);
    auto claim = std::make_shared<SpaceClaim>(space, strategy.copies);
    REQUIRE(claim->grow(size, size).value().given);
    const auto open_to_others = [&] {
      const std::uint64_t promised = board.space_promised;  // before the look: then nothing is missed
      return static_cast<std::int64_t>(free_bytes() - promised);
    };
    const std::int64_t at_first = open_to_others();
    std::atomic<std::int64_t> most{0};
    faults::watch([&](std::string_view) {
      const std::int64_t uncounted = open_to_others() - at_first;
      for (std::int64_t seen = most; uncounted > seen && !most.compare_exchange_weak(seen, uncounted);) {
      }
    });
    const std::string body = body_of(size);
    SocketPair pair = tcp_pair();
    {
      Upload upload(f, strategy, {"file", PublishMode::kReplace, {}, claim});
      upload.receive(std::move(pair.server), size);
      ClientThread client([&] { send_all(pair.client.get(), body); });
      REQUIRE(f.turns.run_until([&] { return upload.over(); }));
      CHECK(upload.done());
      faults::reset();
    }
    claim.reset();
    f.check_clean();
    CHECK(board.space_promised.load() == 0);
    fs::remove(f.root / "file");
    return most;
  }
};

TEST_CASE("at each file call of each strategy all that is not on the disk is still promised") {
  WatchedUpload watched;
  if (!watched) return;
  for (const SinkStrategy& strategy : keeping_sinks_here()) {
    for (const std::size_t size : {std::size_t{5000}, (std::size_t{5} << 20) + 1}) {
      INFO(strategy.name << " " << size << " bytes");
      CHECK(watched.most_uncounted(strategy, size) == 0);
    }
  }
}

}  // namespace
}  // namespace forklift
