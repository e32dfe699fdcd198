// What every way of sending a file promises. A line in strategies.def is all it takes to be tested here.

#include <memory>
#include <set>
#include <string>

#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

TEST_CASE("a file of any size is sent as it is, to fast and slow readers, under any limit") {
  struct Reader {
    int buffer_bytes;
    std::size_t piece_bytes;
    std::uint64_t limit;
  };
  for (const SourceStrategy& strategy : sources_here()) {
    for (const std::size_t size : kBodySizes) {
      const std::string body = body_of(size);
      for (const Reader& reader : {Reader{0, 65536, kBytesPerTurn}, Reader{4096, 1999, 100003}}) {
        INFO(strategy.name << " " << size << " bytes, limit " << reader.limit);
        ContractFixture f;
        write_file(f.root / "file", body);
        {
          SocketPair pair = tcp_pair(reader.buffer_bytes);
          std::string received;
          Download download(f, strategy, "file", std::move(pair.server), reader.limit);
          ClientThread client(
              [&] { received = receive_all(pair.client.get(), SIZE_MAX, reader.piece_bytes); });
          CHECK(f.turns.run_until([&] { return download.over(); }));
          client.join();
          CHECK(download.done());
          CHECK_FALSE(download.broke_the_contract());
          CHECK(download.file().size == size);
          CHECK(received == body);
        }
        f.check_clean();
      }
    }
  }
}

struct Deaf final : ReadinessListener {
  void ready() override {}
};

/// A source that is open and stepped by hand, as a connection does it: its limits know nothing of the file.
class SteppedSource {
 public:
  SteppedSource(ContractFixture& f, const SourceStrategy& strategy, int buffer_bytes = 0)
      : fixture_(f),
        pair_(tcp_pair(buffer_bytes)),
        socket_(f.loop(), std::move(pair_.server), listener_),
        source_(strategy.make(f.downloads, resumer_, DownloadTarget{"file"})) {
    auto opened = source_->open();
    if (opened.ok() && *opened == Flow::kWaitDisk) {
      REQUIRE(f.turns.run_until([&] { return resumer_.resumed > 0; }));
      opened = source_->open();
    }
    REQUIRE((opened.ok() && *opened == Flow::kDone));
  }

  int client() const { return pair_.client.get(); }
  void select(std::uint64_t offset, std::uint64_t size) { source_->select(offset, size); }
  void shut_down() { socket_.shut_down_sending(); }

  bool fails(std::uint64_t limit) { return !try_send(limit).ok(); }

  /// One step, when the disk is ready for it.
  Step send(std::uint64_t limit) {
    const auto step = try_send(limit);
    REQUIRE(step.ok());
    CHECK(step->bytes <= limit);
    return *step;
  }

  /// The same, when the socket is ready too.
  Step send_some(std::uint64_t limit) {
    Step step = send(limit);
    CHECK(fixture_.turns.run_until([&] {
      if (step.flow == Flow::kWaitWritable) step = send(limit);
      return step.flow != Flow::kWaitWritable;
    }));
    return step;
  }

 private:
  Result<Step> try_send(std::uint64_t limit) {
    int before = resumer_.resumed;
    auto step = source_->send(socket_, limit);
    while (step.ok() && step->flow == Flow::kWaitDisk) {
      REQUIRE(fixture_.turns.run_until([&] { return resumer_.resumed > before; }));
      before = resumer_.resumed;
      step = source_->send(socket_, limit);
    }
    return step;
  }

  ContractFixture& fixture_;
  SocketPair pair_;
  Deaf listener_;
  Socket socket_;
  CountingResumer resumer_;
  std::unique_ptr<BodySource> source_;
};

TEST_CASE("a limit that changes from step to step is kept") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f;
    const std::string body = body_of(5000);
    write_file(f.root / "file", body);
    SteppedSource source(f, strategy);
    std::uint64_t sent = 0;
    for (const std::uint64_t limit : {1000u, 1u, 10u, 4000u}) sent += source.send(limit).bytes;
    CHECK(receive_all(source.client(), sent) == body.substr(0, sent));
  }
}

TEST_CASE("a limit is kept for what was read and could not be sent") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f;
    const std::string body = body_of(8 << 20);
    write_file(f.root / "file", body);
    SteppedSource source(f, strategy, 4096);
    std::uint64_t sent = 0;
    Step step{Flow::kMore, 0};
    while (step.flow != Flow::kWaitWritable) {
      step = source.send(kSlabBytes);
      sent += step.bytes;
    }
    std::string received = receive_all(source.client(), sent);
    for (const std::uint64_t limit : {1u, 10u, 100u}) sent += source.send_some(limit).bytes;
    received += receive_all(source.client(), sent - received.size());
    CHECK(received == body.substr(0, sent));
  }
}

TEST_CASE("of a file that is open, range after range is sent, and nothing else") {
  struct Selected {
    std::uint64_t offset;
    std::uint64_t size;
  };
  constexpr std::size_t kSize = 3 * kSlabBytes + 5;
  const Selected ranges[] = {{kSize - 1, 1},          {0, 1},         {kSlabBytes - 1, 2},
                             {7, 2 * kSlabBytes + 1}, {0, kSize},     {kSize - kSlabBytes, kSlabBytes},
                             {kSlabBytes, 1},         {kSlabBytes, 3}};
  const std::string body = body_of(kSize);
  for (const SourceStrategy& strategy : sources_here()) {
    for (const std::uint64_t limit : {std::uint64_t{kBytesPerTurn}, std::uint64_t{50021}}) {
      INFO(strategy.name << ", limit " << limit);
      ContractFixture f;
      write_file(f.root / "file", body);
      {
        SteppedSource source(f, strategy, 4096);
        std::string received;
        ClientThread client([&] { received = receive_all(source.client(), SIZE_MAX); });
        std::string expected;
        for (const Selected& range : ranges) {
          source.select(range.offset, range.size);
          std::uint64_t sent = 0;
          Step step{Flow::kMore, 0};
          while (step.flow != Flow::kDone && sent < range.size) {
            step = source.send_some(limit);
            sent += step.bytes;
          }
          CHECK(step.flow == Flow::kDone);
          CHECK(sent == range.size);
          expected += body.substr(range.offset, range.size);
        }
        source.shut_down();
        client.join();
        CHECK((received == expected));
      }
      f.check_clean();
    }
  }
}

TEST_CASE("a file that becomes shorter than the range that is sent is an error") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f;
    write_file(f.root / "file", body_of(1000));
    SteppedSource source(f, strategy);
    source.select(500, 400);
    fs::resize_file(f.root / "file", 500);
    CHECK(source.fails(kBytesPerTurn));
  }
}

TEST_CASE("what is not there, or is no file, is not opened") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f;
    fs::create_directory(f.root / "directory");
    for (const char* name : {"missing", "directory", "directory/missing"}) {
      SocketPair pair = tcp_pair();
      Download download(f, strategy, name, std::move(pair.server));
      REQUIRE(f.turns.run_until([&] { return download.over(); }));
      CHECK(download.failed_with(ErrorCode::kNotFound));
    }
    SocketPair pair = tcp_pair();
    Download download(f, strategy, "../root/directory", std::move(pair.server));
    REQUIRE(f.turns.run_until([&] { return download.over(); }));
    CHECK(download.failed_with(ErrorCode::kBadName));
  }
}

TEST_CASE("a file that becomes shorter while it is sent is an error, never padding") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f;
    const std::string body = body_of(8 << 20);
    write_file(f.root / "file", body);
    {
      SocketPair pair = tcp_pair(4096);
      Download download(f, strategy, "file", std::move(pair.server));
      REQUIRE(f.turns.run_until([&] { return download.waits_for() == Flow::kWaitWritable; }));
      fs::resize_file(f.root / "file", 10);
      ClientThread client([&] { receive_all(pair.client.get(), SIZE_MAX); });
      CHECK(f.turns.run_until([&] { return download.over(); }));
      ::shutdown(pair.client.get(), SHUT_RDWR);
      client.join();
      CHECK(download.failed_with(ErrorCode::kIo));
      CHECK(download.sent() < body.size());
    }
    f.check_clean();
  }
}

TEST_CASE("a file that grows while it is sent is sent as long as it was") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f;
    const std::string body = body_of(300000);
    write_file(f.root / "file", body);
    SocketPair pair = tcp_pair();
    Download download(f, strategy, "file", std::move(pair.server), 1000);
    download.stop_after(2);
    REQUIRE(f.turns.run_until([&] { return download.stopped(); }));
    write_file(f.root / "file", body + body);
    download.stop_after(1 << 30);
    download.start();
    std::string received;
    ClientThread client([&] { received = receive_all(pair.client.get()); });
    REQUIRE(f.turns.run_until([&] { return download.over(); }));
    client.join();
    CHECK(download.done());
    CHECK(received == body);
  }
}

TEST_CASE("a file that grew is sent as long as it was, even where more may be sent") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f;
    const std::string body = body_of(300001);
    write_file(f.root / "file", body);
    SteppedSource source(f, strategy);
    write_file(f.root / "file", body + body);
    std::string received;
    ClientThread client([&] { received = receive_all(source.client(), body.size() + 1); });
    std::uint64_t sent = 0;
    Step step{Flow::kMore, 0};
    while (step.flow != Flow::kDone && sent < body.size()) {
      step = source.send_some(kBytesPerTurn);
      sent += step.bytes;
    }
    CHECK(step.flow == Flow::kDone);
    CHECK(sent == body.size());
    source.shut_down();
    client.join();
    CHECK(received == body);
  }
}

TEST_CASE("a reader that leaves is gone") {
  for (const SourceStrategy& strategy : sources_here()) {
    for (const bool by_reset : {false, true}) {
      INFO(strategy.name << (by_reset ? " by RST" : " by FIN"));
      ContractFixture f;
      write_file(f.root / "file", body_of(8 << 20));
      {
        SocketPair pair = tcp_pair(4096);
        Download download(f, strategy, "file", std::move(pair.server));
        REQUIRE(f.turns.run_until([&] { return download.waits_for() == Flow::kWaitWritable; }));
        by_reset ? reset_connection(pair.client) : pair.client.reset();
        REQUIRE(f.turns.run_until([&] { return download.over(); }));
        CHECK(download.failed_with(ErrorCode::kPeerGone));
      }
      f.check_clean();
    }
  }
}

TEST_CASE("a download destroyed after any step leaves nothing behind") {
  for (const SourceStrategy& strategy : sources_here()) {
    bool over = false;
    for (int steps = 0; !over; ++steps) {
      INFO(strategy.name << " after " << steps << " steps");
      REQUIRE(steps < 1000);
      ContractFixture f;
      write_file(f.root / "file", body_of(3 * kSlabBytes));
      {
        SocketPair pair = tcp_pair();
        Download download(f, strategy, "file", std::move(pair.server), 50000);
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

TEST_CASE("without a slab a source waits, and goes on when one comes back") {
  const std::string body = body_of(3 * kSlabBytes + 3);
  for (const SourceStrategy& strategy : sources_here()) {
    if (!strategy.sees_bytes) continue;
    INFO(strategy.name);
    ContractFixture f(2 * kSlabBytes);
    write_file(f.root / "file", body);
    {
      CountingResumer other;
      SlabRef one = f.slabs.acquire(other);
      SlabRef two = f.slabs.acquire(other);
      SocketPair pair = tcp_pair();
      Download download(f, strategy, "file", std::move(pair.server));
      f.turns.run_for(milliseconds(30));
      CHECK(download.waits_for() == Flow::kWaitDisk);
      two = SlabRef();
      std::string received;
      ClientThread client([&] { received = receive_all(pair.client.get()); });
      CHECK(f.turns.run_until([&] { return download.over(); }));
      client.join();
      CHECK(received == body);
    }
    f.check_clean();
  }
}

TEST_CASE("readers that stand still hold no slab when slabs are short") {
  for (const SourceStrategy& strategy : sources_here()) {
    INFO(strategy.name);
    ContractFixture f(2 * kSlabBytes);
    write_file(f.root / "file", body_of(8 << 20));
    SocketPair pairs[4] = {tcp_pair(4096), tcp_pair(4096), tcp_pair(4096), tcp_pair(4096)};
    std::vector<std::unique_ptr<Download>> downloads;
    for (SocketPair& pair : pairs) {
      downloads.push_back(std::make_unique<Download>(f, strategy, "file", std::move(pair.server)));
    }
    REQUIRE(f.turns.run_until([&] {
      return std::all_of(downloads.begin(), downloads.end(),
                         [](const auto& download) { return download->waits_for() == Flow::kWaitWritable; });
    }));
    CHECK(f.slabs.bytes_in_use() <= kSlabBytes);
  }
}

TEST_CASE("every source has a name and says what it does") {
  std::set<std::string_view> names;
  for (const SourceStrategy& strategy : source_strategies()) {
    CHECK(names.insert(strategy.name).second);
    CHECK_FALSE(strategy.summary.empty());
    CHECK(find_source_strategy(strategy.name) == &strategy);
  }
  CHECK(names.size() >= 2);
  CHECK(find_source_strategy("no such source") == nullptr);
}

}  // namespace
}  // namespace forklift
