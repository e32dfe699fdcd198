// Whose turn it is for a slab when sinks come and go.

#include <memory>
#include <optional>
#include <vector>

#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

struct Deaf final : ReadinessListener {
  void ready() override {}
};

/// A sink that found no slab for what its client sends. Whose it is stays when it goes, as a connection does.
struct WaitingSink {
  CountingResumer owner;
  Deaf listener;
  SocketPair pair = tcp_pair();
  std::optional<Socket> socket;
  std::unique_ptr<BodySink> sink;

  WaitingSink(ContractFixture& f, const UploadServices& services, const SinkStrategy& strategy)
      : sink(strategy.make(services, owner, {"f", PublishMode::kReplace}, std::nullopt)) {
    socket.emplace(f.loop(), std::move(pair.server), listener);
    const auto step = sink->receive(*socket, 1000);
    REQUIRE(step.ok());
    REQUIRE(step->flow == Flow::kWaitDisk);
    REQUIRE(f.slabs.waits(owner));
  }
};

TEST_CASE("a sink that goes waits for no slab any more, and passes its turn on, whoever owned it") {
  for (const SinkStrategy& strategy : sinks_here()) {
    if (!strategy.sees_bytes) continue;
    INFO(strategy.name);
    ContractFixture f(2 * kSlabBytes);
    UploadServices services = f.uploads;
    services.spool = nullptr;
    CountingResumer next;
    std::vector<SlabRef> held{f.slabs.acquire(next), f.slabs.acquire(next)};
    WaitingSink first(f, services, strategy);
    first.sink.reset();
    CHECK_FALSE(f.slabs.waits(first.owner));

    WaitingSink second(f, services, strategy);
    CHECK_FALSE(f.slabs.acquire(next));
    held.pop_back();
    CHECK(second.owner.resumed == 1);
    CHECK(next.resumed == 0);
    second.sink.reset();
    CHECK(next.resumed == 1);
    f.slabs.forget(second.owner);
    held.clear();
    f.check_clean();
  }
}

}  // namespace
}  // namespace forklift
