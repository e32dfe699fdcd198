// What single mechanisms promise beyond what every strategy does.

#include <fcntl.h>

#include <cstring>
#include <memory>
#include <string>

#include "support/tiny_disk.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

bool here(const char* name) {
  for (const SinkStrategy& strategy : sinks_here()) {
    if (strategy.name == name) return true;
  }
  return false;
}

/// Writes `body` in pieces to a sink that was told it would be `announced` bytes.
void check_announced(std::uint64_t announced, const std::string& body, std::size_t piece) {
  INFO(body.size() << " bytes, announced " << announced << ", in pieces of " << piece);
  ContractFixture f;
  {
    CountingResumer resumer;
    const auto sink = find_sink_strategy("direct")->make(f.uploads, resumer, {"f", PublishMode::kReplace},
                                                         std::optional(announced));
    for (std::size_t sent = 0; sent < body.size(); sent += piece) {
      SlabRef slab = f.slabs.acquire(resumer);
      const std::size_t size = std::min(piece, body.size() - sent);
      std::memcpy(slab.data() + 1, body.data() + sent, size);
      const auto flow = sink->write(Chunk(std::move(slab), 1, size));
      REQUIRE(flow.ok());
      if (*flow == Flow::kWaitDisk) REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
    }
    REQUIRE(f.turns.run_until([&] {
      const auto flow = sink->finish();
      REQUIRE(flow.ok());
      return *flow == Flow::kDone;
    }));
    CHECK(content_of(f.root / "f") == body);
  }
  f.check_clean();
}

TEST_CASE("a file written past the page cache has its exact size, whatever was announced") {
  if (!here("direct")) return;
  for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, std::size_t{300001}}) {
    const std::string body = body_of(size);
    for (const std::size_t piece : {std::size_t{4095}, std::size_t{100000}}) {
      check_announced(size, body, piece);
      check_announced(size + 70000, body, piece);
      check_announced(size - 1, body, piece);
    }
  }
}

TEST_CASE("more slabs than the ring may register are written all the same") {
  if (!here("uring")) return;
  ContractFixture f;
  CountingResumer resumer;
  std::vector<SlabRef> held;  // so that every upload gets a slab the ring has not seen
  for (int i = 0; i < 40; ++i) {
    const std::string body = body_of(1000, static_cast<std::uint64_t>(i));
    const std::string name = std::to_string(i);
    Upload upload(f, *find_sink_strategy("uring"), {name, PublishMode::kReplace});
    upload.write(body, {kSlabBytes});
    REQUIRE(f.turns.run_until([&] { return upload.over(); }));
    CHECK(content_of(f.root / name) == body);
    held.push_back(f.slabs.acquire(resumer));
  }
}

/// Of an upload through `name`: what wrote in its place. Received from a socket, or written from elsewhere.
std::string_view writer_of(ContractFixture& f, std::string_view name, std::size_t size, bool received) {
  const std::string body = body_of(size);
  SocketPair pair = tcp_pair();
  Upload upload(f, *find_sink_strategy(name), {"f", PublishMode::kReplace});
  if (received) {
    upload.receive(std::move(pair.server), size);
  } else {
    upload.write(body, {kSlabBytes});
  }
  ClientThread client([&] {
    if (received) send_all(pair.client.get(), body);
  });
  REQUIRE(f.turns.run_until([&] { return upload.over(); }));
  client.join();
  REQUIRE(upload.done());
  return upload.stored().written_by;
}

TEST_CASE("a mechanism that moved no byte says what stood in for it, and no other does") {
  for (const SinkStrategy& strategy : sinks_here()) {
    ContractFixture f;
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{4095}, std::size_t{4096}, std::size_t{300001}}) {
      INFO(strategy.name << " " << size << " bytes");
      const std::string_view instead = strategy.name == "direct" && size < 4096 ? "pool" : "";
      CHECK(writer_of(f, strategy.name, size, true) == instead);
      CHECK(writer_of(f, strategy.name, size, false) == (strategy.name == "splice" ? "blocking" : instead));
    }
  }
}

TEST_CASE("a body that should have been gathered and found no memory was written as it came, and says so") {
  for (const char* name : {"whole", "whole_job"}) {
    INFO(name);
    ContractFixture roomy;
    ContractFixture tight(64 * kSlabBytes, Durability::kNone, kSlabBytes);
    CHECK(writer_of(roomy, name, 300001, true).empty());
    CHECK(writer_of(tight, name, 300001, true) == "pool");
    CHECK(writer_of(tight, name, 300001, false) == "pool");
    CHECK(writer_of(tight, name, 5, true).empty());
  }
}

TEST_CASE("a file system without O_DIRECT lacks one strategy and no other") {
  const TinyDisk plain("1m", "ramfs");
  if (!plain.made()) {
    WARN("SKIPPED: this process may not make file systems (it must be root)");
    return;
  }
  const FileStore store = FileStore::open(plain.path() + "/root").value();
  for (const SinkStrategy& strategy : sinks_here()) {
    INFO(strategy.name);
    if (strategy.name != "direct") {
      CHECK(strategy.probe(store).ok());
    } else {
      CHECK(code_of(strategy.probe(store)) == ErrorCode::kUnsupported);
    }
  }
  CHECK(parts_in(plain.path() + "/root").empty());
}

}  // namespace
}  // namespace forklift
