// What every write strategy says of the disk space it was promised.

#include <atomic>
#include <cstring>
#include <memory>
#include <string>

#include "support/tiny_disk.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

constexpr std::uint64_t kBlock = 4096;

/// One upload's claim on the disk of temporary files, which nobody else asks for.
struct ClaimFixture {
  Scoreboard board{};
  ContractFixture f;
  SpaceReserve space{f.store, board, nullptr, 0};
  std::shared_ptr<SpaceClaim> claim;

  UploadTarget target(const SinkStrategy& strategy, std::size_t size) {
    claim = std::make_shared<SpaceClaim>(space, strategy.copies);
    REQUIRE(claim->grow(size, size).value().given);
    CHECK(board.space_promised.load() >= size * strategy.copies);
    return {"file", PublishMode::kReplace, {}, claim};
  }

  /// All is written but what rounding adds, and what never had to go to the disk twice.
  bool settled(const SinkStrategy& strategy, bool twice) const {
    const std::uint64_t left = board.space_promised;
    return twice || strategy.copies == 1 ? left <= strategy.copies * kBlock : left > 0;
  }
};

TEST_CASE("what an upload has written is no longer promised to it, and the rest not once it is gone") {
  for (const SinkStrategy& strategy : keeping_sinks_here()) {
    for (const std::size_t size : {std::size_t{5000}, (std::size_t{5} << 20) + 1}) {
      INFO(strategy.name << " " << size << " bytes");
      ClaimFixture t;
      const std::string body = body_of(size);
      SocketPair pair = tcp_pair();
      {
        Upload upload(t.f, strategy, t.target(strategy, size));
        upload.receive(std::move(pair.server), size);
        ClientThread client([&] { send_all(pair.client.get(), body); });
        REQUIRE(t.f.turns.run_until([&] { return upload.over(); }));
        CHECK(upload.done());
        CHECK(t.settled(strategy, size > (1u << 20)));
      }
      t.claim.reset();
      t.f.check_clean();
      CHECK(t.board.space_promised.load() == 0);
    }
  }
}

TEST_CASE("an upload that is dropped halfway gives all of its space back") {
  for (const SinkStrategy& strategy : keeping_sinks_here()) {
    INFO(strategy.name);
    ClaimFixture t;
    const std::string half = body_of(3 << 20);
    SocketPair pair = tcp_pair();
    {
      Upload upload(t.f, strategy, t.target(strategy, 2 * half.size()));
      upload.receive(std::move(pair.server), 2 * half.size());
      std::atomic<bool> sent{false};
      ClientThread client([&] {
        send_all(pair.client.get(), half);
        sent = true;
      });
      const bool gathers = strategy.name == "whole" || strategy.name == "whole_job";
      REQUIRE(t.f.turns.run_until(
          [&] { return sent && (gathers || t.board.space_promised < 2 * half.size() * strategy.copies); }));
    }
    t.claim.reset();
    t.f.check_clean();
    CHECK(t.board.space_promised.load() == 0);
  }
}

TEST_CASE(
    "space that is allocated ahead is no longer promised, and is not counted again when it is written") {
  const SinkStrategy& direct = *find_sink_strategy("direct");
  ClaimFixture t;
  if (!direct.probe(t.f.store).ok()) {
    WARN("SKIPPED: direct does not work here");
    return;
  }
  const std::string body = body_of((2 << 20) + 5);
  {
    CountingResumer resumer;
    UploadTarget target = t.target(direct, body.size());
    REQUIRE(t.claim->grow(100 * kBlock, 100 * kBlock).value().given);
    const auto sink = direct.make(t.f.uploads, resumer, std::move(target), body.size());
    for (std::size_t sent = 0; sent < body.size(); sent += kSlabBytes) {
      SlabRef slab = t.f.slabs.acquire(resumer);
      const std::size_t size = std::min(kSlabBytes, body.size() - sent);
      std::memcpy(slab.data(), body.data() + sent, size);
      REQUIRE(sink->write(Chunk(std::move(slab), 0, size)).ok());
      REQUIRE(t.f.turns.run_until([&] { return t.f.quiet(); }));
    }
    REQUIRE(t.f.turns.run_until([&] { return sink->finish().value() == Flow::kDone; }));
    CHECK(t.board.space_promised.load() > 99 * kBlock);
    CHECK(t.board.space_promised.load() <= 102 * kBlock);
  }
  t.claim.reset();
  t.f.check_clean();
}

/// The strategy that stays in memory, with memory for 128 KiB, over a disk of 4 MiB.
struct SpillFixture {
  TinyDisk disk{"4m"};
  Scoreboard board{};
  std::unique_ptr<StrategyFixture> f;
  std::unique_ptr<SpaceReserve> space;

  SpillFixture() {
    if (!disk.made()) {
      WARN("SKIPPED: this process may not make file systems (it must be root)");
      return;
    }
    f = std::make_unique<StrategyFixture>(disk.path() + "/root", 64 * kSlabBytes, Durability::kNone,
                                          2 * kSlabBytes);
    space = std::make_unique<SpaceReserve>(f->store, board, nullptr, 1 << 20);
    f->uploads.space = space.get();
  }

  explicit operator bool() const { return disk.made(); }
  std::uint64_t promised() const { return board.space_promised; }

  std::unique_ptr<Upload> upload(const std::string& body) const {
    auto upload = std::make_unique<Upload>(*f, *find_sink_strategy("memory"), UploadTarget{});
    upload->write(body, {kSlabBytes});
    REQUIRE(f->turns.run_until([&] { return upload->over(); }));
    return upload;
  }
};

TEST_CASE("what fits in memory needs no space, even where none is left") {
  SpillFixture t;
  if (!t) return;
  REQUIRE(t.space->take(t.f->store.free_bytes().value() - (1 << 20)).value().given);
  const std::uint64_t before = t.promised();
  CHECK(t.upload(body_of(2 * kSlabBytes))->done());
  CHECK(t.promised() == before);
}

TEST_CASE("what no longer fits in memory is promised its space as it is written, and gives it back") {
  SpillFixture t;
  if (!t) return;
  {
    const auto upload = t.upload(body_of(5 * kSlabBytes));
    CHECK(upload->done());
    CHECK(t.promised() == (1 << 20) - 5 * kSlabBytes);
  }
  t.f->check_clean();
  CHECK(t.promised() == 0);
}

TEST_CASE("what no longer fits in memory is refused where it would eat into the reserve") {
  SpillFixture t;
  if (!t) return;
  const std::uint64_t before = t.f->store.free_bytes().value();
  {
    const auto upload = t.upload(body_of(static_cast<std::size_t>(before) - (1 << 20) + 5));
    CHECK(upload->failed_with(ErrorCode::kNoSpace));
    CHECK(t.f->store.free_bytes().value() >= (1 << 20));
  }
  t.f->check_clean();
  CHECK(t.promised() == 0);
  CHECK(t.f->store.free_bytes().value() == before);
}

TEST_CASE("what no longer fits in memory and is known to be long is promised all of its space at once") {
  SpillFixture t;
  if (!t) return;
  CountingResumer resumer;
  const auto& memory = *find_sink_strategy("memory");
  for (const bool fits : {true, false}) {
    const std::size_t size = fits ? 2 << 20 : 4 << 20;
    const auto sink = memory.make(t.f->uploads, resumer, UploadTarget{}, size);
    SlabRef slab = t.f->slabs.acquire(resumer);
    const Result<Flow> first = sink->write(Chunk(std::move(slab), 0, kSlabBytes));
    REQUIRE(first.ok());
    REQUIRE(t.f->turns.run_until([&] { return t.f->quiet(); }));
    CHECK(t.promised() == (fits ? size - kSlabBytes : 0));
    CHECK(sink->write(Chunk()).ok() == fits);
  }
  t.f->check_clean();
  CHECK(t.promised() == 0);
}

}  // namespace
}  // namespace forklift
