// What digests that a client claims promise, whatever strategy its bytes go through.

#include "worker/upload/digest_sink.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/form_upload.h"

namespace forklift {
namespace {

using namespace testing;

Digest digest_of(DigestAlgorithm algorithm, std::string_view bytes) {
  Hasher hasher(algorithm);
  hasher.add(std::as_bytes(std::span(bytes)));
  return hasher.digest().value();
}

/// One upload of `size` bytes that are said to digest so.
class DigestUpload final : public SinkPump {
 public:
  DigestUpload(StrategyFixture& f, const SinkStrategy& strategy, std::uint64_t size,
               std::vector<Digest> claimed)
      : SinkPump(f) {
    sink_ = make_digest_sink(f.uploads, *this,
                             strategy.make(f.uploads, *this, {"dir/file", PublishMode::kReplace}, size),
                             std::move(claimed));
  }
};

std::vector<Digest> all_digests_of(std::string_view body) {
  return {digest_of(DigestAlgorithm::kMd5, body), digest_of(DigestAlgorithm::kSha256, body),
          digest_of(DigestAlgorithm::kSha512, body), digest_of(DigestAlgorithm::kSha256, body)};
}

TEST_CASE("a body with the digests it was said to have is stored as it came, written or received") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 2 * kSlabBytes, 5 * kSlabBytes + 7}) {
      INFO(strategy->name << " " << size << " bytes");
      const std::string body = body_of(size);
      ContractFixture f;
      {
        DigestUpload written(f, *strategy, size, all_digests_of(body));
        written.write(body, {4097, kSlabBytes});
        REQUIRE(f.turns.run_until([&] { return written.over(); }));
        REQUIRE(written.done());
        CHECK_FALSE(written.broke_the_contract());
        CHECK(content_of(f.root / "dir/file") == body);
        SocketPair pair = tcp_pair();
        DigestUpload received(f, *strategy, size, all_digests_of(body));
        received.receive(std::move(pair.server), size);
        ClientThread client([&] { send_all(pair.client.get(), body, 70001); });
        CHECK(f.turns.run_until([&] { return received.over(); }));
        client.join();
        REQUIRE(received.done());
        CHECK_FALSE(received.broke_the_contract());
        CHECK(received.stored().replaced);
        CHECK(content_of(f.root / "dir/file") == body);
      }
      f.check_clean();
    }
  }
}

TEST_CASE("one digest that is another leaves nothing, whichever of them it is") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    const std::string body = body_of(3 * kSlabBytes + 1);
    for (std::size_t wrong = 0; wrong < 4; ++wrong) {
      INFO(strategy->name << " claim " << wrong);
      std::vector<Digest> claimed = all_digests_of(body);
      claimed[wrong].bytes().back() ^= std::byte{1};
      ContractFixture f;
      {
        DigestUpload upload(f, *strategy, body.size(), claimed);
        upload.write(body, {kSlabBytes});
        REQUIRE(f.turns.run_until([&] { return upload.over(); }));
        CHECK(upload.failed_with(ErrorCode::kDigestMismatch));
      }
      f.check_clean();
      CHECK(files_in(f.root).empty());
    }
  }
}

TEST_CASE("an upload that is digested gives its slabs up where others wait for them") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    INFO(strategy->name);
    const std::string body = body_of(2 * kSlabBytes);
    ContractFixture f(4 * kSlabBytes);
    {
      SocketPair first = tcp_pair();
      SocketPair second = tcp_pair();
      DigestUpload one(f, *strategy, body.size(), all_digests_of(body));
      DigestUpload two(f, *strategy, body.size(), all_digests_of(body));
      one.receive(std::move(first.server), body.size());
      two.receive(std::move(second.server), body.size());
      ClientThread client([&] {
        for (std::size_t i = 0; i < body.size(); i += 8192) {
          send_all(first.client.get(), body.substr(i, 8192));
          send_all(second.client.get(), body.substr(i, 8192));
        }
      });
      CHECK(f.turns.run_until([&] { return one.over() && two.over(); }));
      client.join();
      CHECK(one.done());
      CHECK(two.done());
    }
    f.check_clean();
  }
}

}  // namespace
}  // namespace forklift
