// A disk that is really full, for every write strategy.

#include <string>

#include "support/tiny_disk.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

/// A disk of one megabyte.
struct FullDiskFixture {
  TinyDisk disk{"1m"};

  bool skipped() const {
    if (!disk.made()) WARN("SKIPPED: this process may not make file systems (it must be root)");
    return !disk.made();
  }
};

void check_full(StrategyFixture& f, const SinkStrategy& strategy, std::size_t size, Durability durability) {
  INFO(strategy.name << " " << size << " bytes, " << to_string(durability));
  const std::string body = body_of(size);
  {
    SocketPair pair = tcp_pair();
    Upload upload(f, strategy, {"dir/file", PublishMode::kReplace});
    upload.receive(std::move(pair.server), size);
    ClientThread client([&] { send_all(pair.client.get(), body); });
    CHECK(f.turns.run_until([&] { return upload.over(); }));
    ::shutdown(pair.client.get(), SHUT_RDWR);
    CHECK(upload.failed_with(ErrorCode::kNoSpace));
  }
  f.check_clean();
}

TEST_CASE("an upload that fills the disk says so and leaves nothing, by every strategy") {
  const FullDiskFixture full;
  if (full.skipped()) return;
  for (const SinkStrategy& strategy : keeping_sinks_here()) {
    for (const Durability durability : {Durability::kNone, Durability::kFull}) {
      StrategyFixture f(full.disk.path() + "/root", 8 * kSlabBytes, durability);
      for (const std::size_t size : {(std::size_t{1} << 20) + 1, (std::size_t{5} << 20) + 1}) {
        check_full(f, strategy, size, durability);
        CHECK(visible_in(f.root).empty());
      }
    }
  }
}

TEST_CASE("a replacement that fills the disk leaves the old file, and what fits still goes up afterwards") {
  const FullDiskFixture full;
  if (full.skipped()) return;
  for (const SinkStrategy& strategy : keeping_sinks_here()) {
    StrategyFixture f(full.disk.path() + "/" + std::string(strategy.name), 8 * kSlabBytes);
    fs::create_directory(f.root / "dir");
    write_file(f.root / "dir/file", "old");
    check_full(f, strategy, 2 << 20, Durability::kNone);
    CHECK(content_of(f.root / "dir/file") == "old");

    const std::string body = body_of(2 * kSlabBytes);
    Upload upload(f, strategy, {"dir/file", PublishMode::kReplace});
    upload.write(body, {kSlabBytes});
    REQUIRE(f.turns.run_until([&] { return upload.over(); }));
    CHECK(upload.done());
    CHECK(content_of(f.root / "dir/file") == body);
    fs::remove(f.root / "dir/file");  // room for the next strategy
  }
}

}  // namespace
}  // namespace forklift
