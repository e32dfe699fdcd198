// What single mechanisms do when the system refuses what they are made of.

#include <cerrno>
#include <memory>
#include <string>

#include "support/fault_file_ops.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

struct FaultyFixture : ContractFixture {
  FaultyFixture() { faults::reset(); }
  ~FaultyFixture() { faults::reset(); }

  /// Uploads and says what became of it.
  std::unique_ptr<Upload> upload(const char* strategy, const std::string& body) {
    auto upload = std::make_unique<Upload>(*this, *find_sink_strategy(strategy),
                                           UploadTarget{"f", PublishMode::kReplace});
    upload->write(body, {kSlabBytes, 5000});
    CHECK(turns.run_until([&] { return upload->over(); }));
    return upload;
  }
};

bool here(const char* name) {
  for (const SinkStrategy& strategy : sinks_here()) {
    if (strategy.name == name) return true;
  }
  return false;
}

TEST_CASE("a ring that asks for another try gets it") {
  if (!here("uring")) return;
  for (const int os_error : {EINTR, EAGAIN}) {
    FaultyFixture f;
    const std::string body = body_of(3 * kSlabBytes + 7);
    faults::fail("ring_wrote", os_error, 2);
    CHECK(f.upload("uring", body)->done());
    CHECK(content_of(f.root / "f") == body);
  }
}

TEST_CASE("a file system that takes no more direct writes gets the rest through the page cache") {
  if (!here("direct")) return;
  FaultyFixture f;
  const std::string body = body_of(3 * kSlabBytes + 7);
  for (const int nth : {1, 2}) {
    faults::fail("write_vector_at", EINVAL, nth);
    const auto upload = f.upload("direct", body);
    REQUIRE(upload->done());
    CHECK(content_of(f.root / "f") == body);
    CHECK(upload->stored().written_by == (nth == 1 ? "pool" : ""));
  }
}

TEST_CASE("a file system without O_DIRECT, or without splice, is found out by the probe") {
  FaultyFixture f;
  faults::fail("set_direct", EINVAL);
  CHECK(code_of(find_sink_strategy("direct")->probe(f.store)) == ErrorCode::kUnsupported);
  faults::fail("write_vector_at", EINVAL);
  CHECK(code_of(find_sink_strategy("direct")->probe(f.store)) == ErrorCode::kUnsupported);
  faults::fail("splice_to_file", EINVAL);
  CHECK(code_of(find_sink_strategy("splice")->probe(f.store)) == ErrorCode::kUnsupported);
  CHECK(parts_in(f.root).empty());
}

TEST_CASE("an upload that splice fails leaves its bytes to no other") {
  if (!here("splice")) return;
  FaultyFixture f;
  for (const bool failing : {true, false}) {
    const std::string body = body_of(100000, failing ? 1 : 2);
    SocketPair pair = tcp_pair();
    Upload upload(f, *find_sink_strategy("splice"), {"f", PublishMode::kReplace});
    if (failing) faults::fail("splice_to_file", EIO);
    upload.receive(std::move(pair.server), body.size());
    ClientThread client([&] { send_all(pair.client.get(), body); });
    CHECK(f.turns.run_until([&] { return upload.over(); }));
    ::shutdown(pair.client.get(), SHUT_RDWR);
    client.join();
    CHECK(upload.done() == !failing);
    if (!failing) CHECK(content_of(f.root / "f") == body);
  }
}

}  // namespace
}  // namespace forklift
