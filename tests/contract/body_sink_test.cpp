// What every write strategy promises. A line in strategies.def is all it takes to be tested here.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

const UploadTarget kTarget{"dir/file", PublishMode::kReplace};

const std::vector<std::vector<std::size_t>> kChunkings = {
    {kSlabBytes}, {4096}, {1, 4095, kSlabBytes, 70001}, {kSlabBytes - 1, 2}};

void check_stored(ContractFixture& f, const Upload& upload, const std::string& body) {
  CHECK_FALSE(upload.broke_the_contract());
  REQUIRE(upload.done());
  CHECK(upload.stored().size == body.size());
  if (upload.stored().ephemeral) {
    CHECK(upload.stored().file_path.empty());
    return;
  }
  CHECK(upload.stored().durability == f.uploads.durability);
  CHECK(content_of(f.root / upload.stored().file_path) == body);
}

TEST_CASE("a body that is written comes out as it went in, in any chunks") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const std::size_t size : kBodySizes) {
      const std::string body = body_of(size);
      for (const auto& chunking : kChunkings) {
        INFO(strategy.name << " " << size << " bytes, first chunk " << chunking.front());
        ContractFixture f;
        {
          Upload upload(f, strategy, kTarget);
          upload.write(body, chunking);
          REQUIRE(f.turns.run_until([&] { return upload.over(); }));
          check_stored(f, upload, body);
        }
        f.check_clean();
      }
    }
  }
}

TEST_CASE("a body that is received comes out as it went in, however the client sends") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const std::size_t size : kBodySizes) {
      const std::string body = body_of(size);
      for (const std::size_t piece : {std::size_t{1777}, std::size_t{65537}, std::size_t{1} << 22}) {
        INFO(strategy.name << " " << size << " bytes in pieces of " << piece);
        ContractFixture f;
        {
          SocketPair pair = tcp_pair();
          Upload upload(f, strategy, kTarget);
          upload.receive(std::move(pair.server), size);
          ClientThread client([&] { send_all(pair.client.get(), body, piece); });
          CHECK(f.turns.run_until([&] { return upload.over(); }));
          client.join();
          check_stored(f, upload, body);
        }
        f.check_clean();
      }
    }
  }
}

TEST_CASE("a sink takes no byte beyond its limit from the socket") {
  for (const SinkStrategy& strategy : sinks_here()) {
    INFO(strategy.name);
    ContractFixture f;
    const std::string body = body_of(300000);
    SocketPair pair = tcp_pair();
    Upload upload(f, strategy, kTarget);
    upload.receive(std::move(pair.server), 200000, 999);
    ClientThread client([&] { send_all(pair.client.get(), body); });
    REQUIRE(f.turns.run_until([&] { return upload.over(); }));
    check_stored(f, upload, body.substr(0, 200000));
    receive_all(pair.client.get(), 0);
  }
}

TEST_CASE("every durability that is asked for is kept and said") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const Durability durability : {Durability::kNone, Durability::kData, Durability::kFull}) {
      INFO(strategy.name << " " << to_string(durability));
      ContractFixture f(64 * kSlabBytes, durability);
      const std::string body = body_of(kSlabBytes + 1);
      Upload upload(f, strategy, {"fresh", PublishMode::kFresh});
      upload.write(body, {kSlabBytes});
      REQUIRE(f.turns.run_until([&] { return upload.over(); }));
      check_stored(f, upload, body);
    }
  }
}

/// Uploads `body` there and waits for the end.
std::unique_ptr<Upload> upload_to(ContractFixture& f, const SinkStrategy& strategy, UploadTarget target,
                                  std::string_view body) {
  auto upload = std::make_unique<Upload>(f, strategy, std::move(target));
  upload->write(body, {kSlabBytes});
  REQUIRE(f.turns.run_until([&] { return upload->over(); }));
  return upload;
}

TEST_CASE("replacing, creating and fresh names are told apart") {
  for (const SinkStrategy& strategy : sinks_here()) {
    if (!strategy.kept) continue;
    INFO(strategy.name);
    ContractFixture f;
    const auto first = upload_to(f, strategy, {"a", PublishMode::kReplace}, "one");
    REQUIRE(first->done());
    CHECK_FALSE(first->stored().replaced);
    const auto second = upload_to(f, strategy, {"a", PublishMode::kReplace}, "two");
    REQUIRE(second->done());
    CHECK(second->stored().replaced);
    CHECK(content_of(f.root / "a") == "two");

    const auto refused = upload_to(f, strategy, {"a", PublishMode::kCreateOnly}, "three");
    CHECK(refused->failed_with(ErrorCode::kExists));
    CHECK(content_of(f.root / "a") == "two");
    CHECK(upload_to(f, strategy, {"b", PublishMode::kCreateOnly}, "four")->done());
    CHECK(content_of(f.root / "b") == "four");

    const auto fresh = upload_to(f, strategy, {"d", PublishMode::kFresh}, "five");
    const auto other = upload_to(f, strategy, {"d", PublishMode::kFresh}, "six");
    REQUIRE(fresh->done());
    REQUIRE(other->done());
    CHECK(fresh->stored().file_path.rfind("d/", 0) == 0);
    CHECK(fresh->stored().file_path != other->stored().file_path);
    CHECK(content_of(f.root / fresh->stored().file_path) == "five");
  }
}

TEST_CASE("a target that cannot be is refused and leaves nothing") {
  for (const SinkStrategy& strategy : sinks_here()) {
    if (!strategy.kept) continue;
    INFO(strategy.name);
    ContractFixture f;
    fs::create_directory(f.root / "directory");
    CHECK(
        upload_to(f, strategy, {"directory", PublishMode::kReplace}, "x")->failed_with(ErrorCode::kConflict));
    CHECK(upload_to(f, strategy, {"../x", PublishMode::kReplace}, "x")->failed_with(ErrorCode::kBadName));
    f.check_clean();
    CHECK(visible_in(f.root) == std::vector<std::string>{"directory"});
  }
}

TEST_CASE("a client that leaves in mid-body is gone, and its upload too") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const std::size_t sent : {std::size_t{0}, std::size_t{5}, 3 * kSlabBytes + 5}) {
      for (const bool by_reset : {false, true}) {
        INFO(strategy.name << " after " << sent << (by_reset ? " by RST" : " by FIN"));
        ContractFixture f;
        {
          SocketPair pair = tcp_pair();
          Upload upload(f, strategy, kTarget);
          upload.receive(std::move(pair.server), 10 * kSlabBytes);
          ClientThread client([&] {
            send_all(pair.client.get(), body_of(sent));
            by_reset ? reset_connection(pair.client) : pair.client.reset();
          });
          REQUIRE(f.turns.run_until([&] { return upload.over(); }));
          CHECK(upload.failed_with(ErrorCode::kPeerGone));
        }
        f.check_clean();
        CHECK(visible_in(f.root).empty());
      }
    }
  }
}

/// Starts an upload of `body`, lets it take `steps`, and destroys it, at once or when the disk is quiet.
/// True when it ended before.
bool destroy_after(const SinkStrategy& strategy, const std::string& body, int steps, bool when_quiet) {
  ContractFixture f;
  bool finishing = false;
  bool over = false;
  {
    Upload upload(f, strategy, kTarget);
    upload.stop_after(steps);
    upload.write(body, {kSlabBytes, 5000});
    REQUIRE(f.turns.run_until([&] { return upload.over() || upload.stopped(); }));
    if (when_quiet) REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
    finishing = upload.finishing();
    over = upload.over();
  }
  f.check_clean();
  if (!strategy.kept) {
    CHECK(visible_in(f.root).empty());
    return over;
  }
  // A publication that was under way may have come through: whole, or not at all.
  if (finishing && fs::exists(f.root / "dir/file")) {
    CHECK(content_of(f.root / "dir/file") == body);
  } else {
    CHECK_FALSE(over);
    CHECK_FALSE(fs::exists(f.root / "dir/file"));
  }
  return over;
}

TEST_CASE("an upload destroyed after any step leaves nothing behind") {
  const std::string body = body_of(4 * kSlabBytes);
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const bool when_quiet : {false, true}) {
      bool over = false;
      for (int steps = 0; !over; ++steps) {
        INFO(strategy.name << " after " << steps << " steps" << (when_quiet ? ", quiet" : ""));
        REQUIRE(steps < 1000);
        over = destroy_after(strategy, body, steps, when_quiet);
      }
    }
  }
}

TEST_CASE("a sink destroyed before it took a byte makes no call to the disk") {
  for (const SinkStrategy& strategy : sinks_here()) {
    INFO(strategy.name);
    ContractFixture f;
    { const Upload upload(f, strategy, kTarget); }
    CHECK(f.disk.in_flight() == 0);
    f.check_clean();
  }
}

/// All slabs of a fixture but one, or all.
std::vector<SlabRef> hold_slabs(ContractFixture& f, std::size_t count, Resumer& waiter) {
  std::vector<SlabRef> held;
  for (std::size_t i = 0; i < count; ++i) held.push_back(f.slabs.acquire(waiter));
  return held;
}

/// All spool memory of a fixture: bodies go through slabs.
std::vector<SlabRef> hold_spool(ContractFixture& f) {
  std::vector<SlabRef> held;
  while (SlabRef slab = f.spool.acquire_now()) held.push_back(std::move(slab));
  return held;
}

TEST_CASE("without a slab a sink waits, and goes on when one comes back") {
  const std::string body = body_of(5 * kSlabBytes + 3);
  for (const SinkStrategy& strategy : sinks_here()) {
    if (!strategy.sees_bytes) continue;
    INFO(strategy.name);
    ContractFixture f(2 * kSlabBytes);
    {
      CountingResumer other;
      const auto spooled = hold_spool(f);
      auto held = hold_slabs(f, 2, other);
      SocketPair pair = tcp_pair();
      Upload upload(f, strategy, kTarget);
      upload.receive(std::move(pair.server), body.size());
      ClientThread client([&] { send_all(pair.client.get(), body); });
      f.turns.run_for(milliseconds(50));
      CHECK(upload.waits_for() == Flow::kWaitDisk);
      const int steps = upload.steps();
      f.turns.run_for(milliseconds(30));
      CHECK(upload.steps() == steps);  // it does not spin
      held.pop_back();
      CHECK(f.turns.run_until([&] { return upload.over(); }));
      client.join();
      check_stored(f, upload, body);
    }
    f.check_clean();
  }
}

TEST_CASE("an upload destroyed while it waits for a slab lets the next one have it") {
  const std::string body = body_of(1000);
  for (const SinkStrategy& strategy : sinks_here()) {
    if (!strategy.sees_bytes) continue;
    INFO(strategy.name);
    ContractFixture f(2 * kSlabBytes);
    {
      CountingResumer other;
      const auto spooled = hold_spool(f);
      auto held = hold_slabs(f, 2, other);
      SocketPair pairs[2] = {tcp_pair(), tcp_pair()};
      auto first = std::make_unique<Upload>(f, strategy, UploadTarget{"first", PublishMode::kReplace});
      first->receive(std::move(pairs[0].server), body.size());
      f.turns.turn(2);
      Upload second(f, strategy, {"second", PublishMode::kReplace});
      second.receive(std::move(pairs[1].server), body.size());
      send_all(pairs[1].client.get(), body);
      f.turns.turn(2);
      REQUIRE(second.waits_for() == Flow::kWaitDisk);
      held.pop_back();  // resumes the first, which dies before its turn
      first.reset();
      CHECK(f.turns.run_until([&] { return second.over(); }, seconds(5)));
      check_stored(f, second, body);
    }
    f.check_clean();
  }
}

TEST_CASE("an upload whose client is silent holds no slab") {
  for (const SinkStrategy& strategy : sinks_here()) {
    INFO(strategy.name);
    ContractFixture f;
    {
      SocketPair pair = tcp_pair();
      Upload upload(f, strategy, kTarget);
      upload.receive(std::move(pair.server), 10 * kSlabBytes);
      for (const std::size_t bytes : {std::size_t{0}, std::size_t{10}, 2 * kSlabBytes}) {
        send_all(pair.client.get(), body_of(bytes));
        f.turns.run_for(milliseconds(30));
        REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
        CHECK(upload.waits_for() == Flow::kWaitReadable);
        CHECK(f.slabs.bytes_in_use() == 0);
      }
    }
    f.check_clean();
  }
}

TEST_CASE("many uploads by all strategies share one loop and a small budget") {
  const std::size_t size = 10 * kSlabBytes + 11;
  ContractFixture f(3 * kSlabBytes, Durability::kNone, 12 * kSlabBytes);
  {
    struct Client {
      SocketPair pair = tcp_pair();
      std::string body;
      std::unique_ptr<Upload> upload;
      std::unique_ptr<ClientThread> thread;
    };
    std::vector<Client> clients(2 * sinks_here().size());
    for (std::size_t i = 0; i < clients.size(); ++i) {
      Client& client = clients[i];
      client.body = body_of(size, i + 1);
      const SinkStrategy& strategy = sinks_here()[i % sinks_here().size()];
      client.upload =
          std::make_unique<Upload>(f, strategy, UploadTarget{std::to_string(i), PublishMode::kCreateOnly});
      client.upload->receive(std::move(client.pair.server), size);
      client.thread = std::make_unique<ClientThread>(
          [&client] { send_all(client.pair.client.get(), client.body, 40001); });
    }
    for (Client& client : clients) {
      CHECK(f.turns.run_until([&] { return client.upload->over(); }));
      client.thread->join();
      check_stored(f, *client.upload, client.body);
    }
  }
  f.check_clean();
}

TEST_CASE("what is gone after the reply is said to be, and nothing else is") {
  for (const SinkStrategy& strategy : sinks_here()) {
    INFO(strategy.name);
    ContractFixture f;
    const auto upload = upload_to(f, strategy, {"a", PublishMode::kReplace}, "one");
    REQUIRE(upload->done());
    CHECK(upload->stored().ephemeral == !strategy.kept);
    CHECK(fs::exists(f.root / "a") == strategy.kept);
  }
}

TEST_CASE("every strategy has a name and says what it does") {
  std::set<std::string_view> names;
  for (const SinkStrategy& strategy : sink_strategies()) {
    CHECK(names.insert(strategy.name).second);
    CHECK_FALSE(strategy.summary.empty());
    CHECK(find_sink_strategy(strategy.name) == &strategy);
  }
  CHECK(names.size() >= 2);
  CHECK(find_sink_strategy("no such strategy") == nullptr);
}

}  // namespace
}  // namespace forklift
