// What every write strategy says of the disk space it was promised.

#include <atomic>
#include <cstring>
#include <memory>
#include <string>

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

}  // namespace
}  // namespace forklift
