// What whole bodies do with the worker's spool memory, and without it.

#include <memory>
#include <string>
#include <vector>

#include "support/tiny_disk.h"
#include "support/transfer.h"
#include "worker/upload/spool_buffer.h"

namespace forklift {
namespace {

using namespace testing;

constexpr const char* kSpooling[] = {"memory", "whole", "whole_job", "spool"};
const UploadTarget kTarget{"dir/file", PublishMode::kReplace};

std::string text_of(const std::vector<Chunk>& chunks) {
  std::string text;
  for (const Chunk& chunk : chunks) {
    text.append(reinterpret_cast<const char*>(chunk.bytes().data()), chunk.size());
  }
  return text;
}

Chunk chunk_of(SlabPool& slabs, std::string_view text) {
  SlabRef slab = slabs.acquire_now();
  std::memcpy(slab.data(), text.data(), text.size());
  return Chunk(std::move(slab), 0, text.size());
}

TEST_CASE("a spool buffer gives back the bytes it was given, in order") {
  SlabPool slabs(64 * kSlabBytes);
  SlabPool memory(8 * kSlabBytes);
  SpoolBuffer buffer(&memory, 8 * kSlabBytes);
  const std::string body = body_of(2 * kSlabBytes + 99);
  for (std::size_t at = 0; at < body.size(); at += 50021) {
    Chunk chunk = chunk_of(slabs, std::string_view(body).substr(at, 50021));
    buffer.append(chunk);
    CHECK(chunk.empty());
  }
  CHECK(buffer.size() == body.size());
  CHECK(memory.bytes_in_use() == 3 * kSlabBytes);
  CHECK(text_of(buffer.take()) == body);
  CHECK(buffer.size() == 0);
  CHECK(memory.bytes_in_use() == 0);
}

TEST_CASE("a spool buffer takes what fits in its share and no more") {
  SlabPool slabs(64 * kSlabBytes);
  SlabPool memory(8 * kSlabBytes);
  SpoolBuffer buffer(&memory, 2 * kSlabBytes);
  const std::string body = body_of(kSlabBytes);
  for (int i = 0; i < 2; ++i) {
    Chunk chunk = chunk_of(slabs, body);
    buffer.append(chunk);
  }
  Chunk rest = chunk_of(slabs, body);
  buffer.append(rest);
  CHECK(rest.size() == kSlabBytes);
  CHECK(buffer.room().empty());
  CHECK(text_of(buffer.take()) == body + body);
}

TEST_CASE("a spool buffer whose client sends nothing holds no slab") {
  SlabPool memory(8 * kSlabBytes);
  SpoolBuffer buffer(&memory, 8 * kSlabBytes);
  CHECK(buffer.room().size() == kSlabBytes);
  buffer.filled(0);
  CHECK(memory.bytes_in_use() == 0);
}

void send_through(ContractFixture& f, Upload& upload, const std::string& body) {
  SocketPair pair = tcp_pair();
  upload.receive(std::move(pair.server), body.size());
  ClientThread client([&] { send_all(pair.client.get(), body); });
  CHECK(f.turns.run_until([&] { return upload.over(); }));
  ::shutdown(pair.client.get(), SHUT_RDWR);
}

TEST_CASE("a body larger than the spool memory comes out as it went in") {
  for (const char* name : kSpooling) {
    for (const std::size_t size : {2 * kSlabBytes, 2 * kSlabBytes + 1, 11 * kSlabBytes + 17}) {
      for (const bool from_socket : {false, true}) {
        INFO(name << " " << size << (from_socket ? " from a socket" : ""));
        ContractFixture f(8 * kSlabBytes, Durability::kNone, 2 * kSlabBytes);
        const std::string body = body_of(size);
        {
          Upload upload(f, *find_sink_strategy(name), kTarget);
          if (from_socket) {
            send_through(f, upload, body);
          } else {
            upload.write(body, {70001, kSlabBytes});
            CHECK(f.turns.run_until([&] { return upload.over(); }));
          }
          REQUIRE(upload.done());
          CHECK(upload.stored().size == size);
          if (!upload.stored().ephemeral) CHECK(content_of(f.root / "dir/file") == body);
        }
        f.check_clean();
      }
    }
  }
}

TEST_CASE("an upload gets through while a silent client holds all spool memory") {
  for (const char* name : kSpooling) {
    INFO(name);
    ContractFixture f(8 * kSlabBytes, Durability::kNone, 2 * kSlabBytes);
    const std::string body = body_of(10 * kSlabBytes);
    {
      SocketPair silent = tcp_pair();
      Upload holder(f, *find_sink_strategy("memory"), {"other", PublishMode::kReplace});
      holder.receive(std::move(silent.server), 100 * kSlabBytes);
      send_all(silent.client.get(), body_of(kSlabBytes + 5));
      REQUIRE(f.turns.run_until([&] { return f.spool.bytes_in_use() == f.spool.bytes_max(); }));
      Upload upload(f, *find_sink_strategy(name), kTarget);
      send_through(f, upload, body);
      CHECK(upload.done());
      CHECK(holder.waits_for() == Flow::kWaitReadable);
    }
    f.check_clean();
  }
}

/// Whether the disk pool was seen at work at the end of any turn.
class JobCounter final : private TurnObserver {
 public:
  explicit JobCounter(ContractFixture& f) : f_(f) { f.loop().observe_turns(this); }
  JobCounter(const JobCounter&) = delete;
  JobCounter& operator=(const JobCounter&) = delete;
  ~JobCounter() { f_.loop().observe_turns(nullptr); }
  std::size_t turns_busy = 0;

 private:
  void turn_ended() override { turns_busy += f_.disk.in_flight(); }
  ContractFixture& f_;
};

TEST_CASE("a body that stays in memory makes no disk job and no file") {
  ContractFixture f;
  Upload upload(f, *find_sink_strategy("memory"), kTarget);
  {
    const JobCounter jobs(f);
    send_through(f, upload, body_of(262144));
    CHECK(jobs.turns_busy == 0);
  }
  REQUIRE(upload.done());
  CHECK(upload.stored().ephemeral);
  CHECK(f.spool.bytes_in_use() > 0);  // until the answer is sent
  CHECK(f.slabs.bytes_in_use() == 0);
  CHECK(visible_in(f.root).empty());
}

TEST_CASE("what does not fit in memory lies in no named file") {
  ContractFixture f(8 * kSlabBytes, Durability::kNone, 2 * kSlabBytes);
  {
    SocketPair pair = tcp_pair();
    Upload upload(f, *find_sink_strategy("memory"), kTarget);
    upload.receive(std::move(pair.server), 100 * kSlabBytes);
    ClientThread client([&] { send_all(pair.client.get(), body_of(30 * kSlabBytes)); });
    f.turns.run_for(milliseconds(50));
    CHECK(parts_in(f.root).empty());
    CHECK(visible_in(f.root).empty());
    client.join();
  }
  f.check_clean();
}

TEST_CASE("a body that fits neither in memory nor on the disk is refused and leaves nothing") {
  const TinyDisk disk("1m");
  if (!disk.made()) {
    WARN("SKIPPED: this process may not make file systems (it must be root)");
    return;
  }
  for (const char* name : kSpooling) {
    INFO(name);
    StrategyFixture f(disk.path() + "/root", 8 * kSlabBytes, Durability::kNone, 2 * kSlabBytes);
    for (int i = 0; i < 2; ++i) {
      const std::string body = body_of(3 << 20);
      Upload upload(f, *find_sink_strategy(name), kTarget);
      upload.write(body, {kSlabBytes});
      CHECK(f.turns.run_until([&] { return upload.over(); }));
      CHECK(upload.failed_with(ErrorCode::kNoSpace));
    }
    f.check_clean();
    CHECK(visible_in(f.root).empty());
  }
}

TEST_CASE("a part without a name holds what is written to it") {
  const StoreFixture f;
  auto part = f.store.begin_unnamed();
  REQUIRE(part.ok());
  CHECK(part->name().empty());
  REQUIRE(part->write(bytes_of("bytes")).ok());
  char text[5];
  CHECK(::pread(part->fd(), text, sizeof text, 0) == 5);
  CHECK(std::string(text, 5) == "bytes");
  CHECK(parts_in(f.root).empty());
}

}  // namespace
}  // namespace forklift
