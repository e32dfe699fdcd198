// What the JSON sink promises around every write strategy that sees the bytes.

#include <memory>
#include <string>
#include <vector>

#include "support/base64.h"
#include "support/transfer.h"
#include "worker/upload/form.h"
#include "worker/upload/json_base64.h"

namespace forklift {
namespace {

using namespace testing;

std::string json_of(std::string_view bytes, std::string_view slash = "/") {
  return R"({"filename": "../a\u0062", "file": ")" + base64_of(bytes, slash) + "\"}";
}

struct JsonFixture : ContractFixture {
  explicit JsonFixture(std::size_t json_bytes_max = 64u << 20, Base64Choice choice = Base64Choice::kAuto,
                       std::size_t slab_bytes_max = 64 * kSlabBytes,
                       std::size_t memory_bytes_min = JsonUploads::kMemoryBytesMin)
      : ContractFixture(slab_bytes_max), json(json_bytes_max, choice, memory_bytes_min) {
    uploads.json = &json;
  }
  void check_clean() {
    ContractFixture::check_clean();
    CHECK(json.memory.bytes_in_use() == 0);
    CHECK(json.small_memory.bytes_in_use() == 0);
  }
  JsonUploads json;
};

const SinkStrategy* inner_strategy = nullptr;

/// make_json_sink as a strategy, so that the pump of the other contract tests drives it.
std::unique_ptr<BodySink> make_wrapped(const UploadServices& services, Resumer& resumer, UploadTarget target,
                                       std::optional<std::uint64_t> size) {
  return make_json_sink(services, resumer, std::move(target), *inner_strategy, size);
}
constexpr SinkStrategy kWrapped{.name = "json",
                                .summary = "",
                                .sees_bytes = true,
                                .blocks_loop = true,
                                .kept = true,
                                .copies = 1,
                                .probe = works_everywhere,
                                .make = make_wrapped};

const UploadTarget kTarget{"dir/file", PublishMode::kReplace};

std::unique_ptr<Upload> upload_json(JsonFixture& f, std::string_view body,
                                    std::vector<std::size_t> pieces = {kSlabBytes}) {
  auto upload = std::make_unique<Upload>(f, kWrapped, kTarget);
  upload->write(body, std::move(pieces));
  REQUIRE(f.turns.run_until([&] { return upload->over(); }));
  CHECK_FALSE(upload->broke_the_contract());
  return upload;
}

template <typename Body>
void for_every_inner(Body body) {
  for (const SinkStrategy& strategy : sinks_here()) {
    if (!strategy.sees_bytes || !strategy.kept) continue;
    INFO(strategy.name);
    inner_strategy = &strategy;
    body();
  }
}

/// Refused, for this reason, and without trace.
void check_refused(JsonFixture& f, std::string_view body, ErrorCode code, std::int64_t position) {
  INFO(body.substr(0, 80));
  const auto upload = upload_json(f, body);
  REQUIRE(upload->error());
  CHECK(upload->error()->code == code);
  CHECK(upload->error()->position == position);
}

TEST_CASE("a file in JSON comes out as it was encoded, in any chunks, escaped or not") {
  for (const std::size_t size : kBodySizes) {
    const std::string file = body_of(size);
    const std::string plain = json_of(file);
    const std::string escaped = json_of(file, "\\/");
    for_every_inner([&] {
      for (const bool with_escapes : {false, true}) {
        INFO(size << " bytes" << (with_escapes ? ", escaped" : ""));
        JsonFixture f(64u << 20, with_escapes ? Base64Choice::kLibb64 : Base64Choice::kAuto);
        const auto upload = upload_json(f, with_escapes ? escaped : plain, {1, kSlabBytes, 70001});
        REQUIRE(upload->done());
        CHECK(upload->stored().size == size);
        CHECK(content_of(f.root / "dir/file") == file);
        f.check_clean();
      }
    });
  }
}

TEST_CASE("a file in JSON is received straight from the socket") {
  for_every_inner([] {
    JsonFixture f;
    const std::string file = body_of(3 * 1024 * 1024 + 1);
    const std::string body = json_of(file);
    SocketPair pair = tcp_pair();
    Upload upload(f, kWrapped, kTarget);
    upload.receive(std::move(pair.server), body.size());
    ClientThread client([&] { send_all(pair.client.get(), body, 65537); });
    REQUIRE(f.turns.run_until([&] { return upload.over(); }));
    client.join();
    REQUIRE(upload.done());
    CHECK_FALSE(upload.broke_the_contract());
    CHECK(content_of(f.root / "dir/file") == file);
  });
}

TEST_CASE("bodies that are no JSON upload leave nothing behind and say what is wrong where") {
  for_every_inner([] {
    JsonFixture f;
    check_refused(f, "", ErrorCode::kBadBody, -1);
    check_refused(f, R"({"file": 7})", ErrorCode::kBadBody, 9);
    check_refused(f, R"({"file": "Zm9v", "data": "Zm9v"})", ErrorCode::kBadBody, 25);
    check_refused(f, R"({"file": "data:image/jpeg;base64,Zm9v"})", ErrorCode::kBadBody, 14);
    check_refused(f, R"({"file": "Zm9vZh=="})", ErrorCode::kBadBody, 15);
    std::string late = json_of(body_of(2 * 1024 * 1024));
    late[late.size() - 10] = '*';
    check_refused(f, late, ErrorCode::kBadBody, static_cast<std::int64_t>(late.size()) - 10);
    f.check_clean();
    CHECK(visible_in(f.root).empty());
  });
}

TEST_CASE("a JSON body over the limit is too large") {
  for_every_inner([] {
    JsonFixture f(10000);
    const std::string most = R"({"file":")" + std::string(10000 - 11 - 1, 'A') + "\"}";
    REQUIRE(most.size() == 9999);
    CHECK(upload_json(f, most + ' ')->done());
    CHECK(upload_json(f, most + "  ")->failed_with(ErrorCode::kBodyTooLarge));
    f.check_clean();
  });
}

TEST_CASE("JSON bodies that want more memory than there is wait for each other and all come through") {
  for_every_inner([] {
    constexpr std::size_t kLimit = 2u << 20;
    // Their beginnings alone are more than there is for all; slabs are short as well.
    JsonFixture f(kLimit, Base64Choice::kAuto, 4 * kSlabBytes, 0);
    const std::string file = body_of(700000);
    const std::string body = json_of(file);
    std::vector<std::unique_ptr<Upload>> uploads;
    std::vector<std::unique_ptr<ClientThread>> clients;
    for (int i = 0; i < 12; ++i) {
      auto pair = std::make_shared<SocketPair>(tcp_pair());
      auto upload = std::make_unique<Upload>(f, kWrapped, UploadTarget{"d", PublishMode::kFresh});
      upload->receive(std::move(pair->server), body.size());
      uploads.push_back(std::move(upload));
      clients.push_back(
          std::make_unique<ClientThread>([pair, &body] { send_all(pair->client.get(), body, 65537); }));
    }
    for (const auto& upload : uploads) {
      REQUIRE(f.turns.run_until([&] {
        REQUIRE(f.json.memory.bytes_in_use() <= kLimit + MemoryBudget::rounded(kLimit + 64));
        return upload->over();
      }));
      REQUIRE(upload->done());
      CHECK(content_of(f.root / upload->stored().file_path) == file);
    }
    for (const auto& client : clients) client->join();
    uploads.clear();
    f.check_clean();
  });
}

TEST_CASE("a JSON body holds little more memory than what came of it") {
  inner_strategy = &sinks_here().front();
  JsonFixture f;
  CountingResumer resumer;
  for (const std::optional<std::uint64_t> size :
       {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(50u << 20)}) {
    auto sink = make_json_sink(f.uploads, resumer, kTarget, *inner_strategy, size);
    REQUIRE(sink->write(Chunk()).value() == Flow::kMore);
    CHECK(f.json.memory.bytes_in_use() <= 512u << 10);
    for (std::size_t came = kSlabBytes; came <= 40u << 20; came += kSlabBytes) {
      REQUIRE(sink->write(Chunk(f.slabs.acquire(resumer), 0, kSlabBytes)).value() == Flow::kMore);
      REQUIRE(f.json.memory.bytes_in_use() >= came);
      REQUIRE(f.json.memory.bytes_in_use() <= came + came * 3 / 5 + (1u << 20));
    }
  }
  f.check_clean();
}

/// All that small bodies have for themselves.
std::vector<BodyBuffer> take_small_memory(JsonFixture& f) {
  std::vector<BodyBuffer> taken;
  CountingResumer resumer;
  for (bool grown = true; grown;) {
    taken.emplace_back();
    const auto got = f.json.small_memory.grow(taken.back(), JsonUploads::kSmallBodyBytesMax, resumer);
    grown = got.value();
  }
  f.json.small_memory.forget(resumer);
  return taken;
}

TEST_CASE("small JSON bodies go on while large ones hold all the rest, and the other way round") {
  inner_strategy = &sinks_here().front();
  constexpr std::size_t kLimit = 2u << 20;
  JsonFixture f(kLimit, Base64Choice::kAuto, 64 * kSlabBytes, 0);
  CountingResumer first, second, small, large;
  const auto make = [&f](Resumer& resumer, std::uint64_t size) {
    return make_json_sink(f.uploads, resumer, kTarget, *inner_strategy, size);
  };
  const auto asked = [](BodySink& sink) { return sink.write(Chunk()).value(); };
  std::vector<BodyBuffer> common(2);
  for (BodyBuffer& buffer : common) REQUIRE(f.json.memory.grow(buffer, kLimit, first).value());
  CHECK(asked(*make(large, JsonUploads::kSmallBodyBytesMax + 1)) == Flow::kWaitDisk);
  CHECK(asked(*make(small, JsonUploads::kSmallBodyBytesMax)) == Flow::kMore);

  std::vector<BodyBuffer> own = take_small_memory(f);
  CHECK(f.json.small_memory.bytes_in_use() <= JsonUploads::kSmallMemoryBytes);
  for (std::vector<BodyBuffer>* given_back : {&own, &common}) {
    if (own.empty()) own = take_small_memory(f);
    const auto sink = make(second, JsonUploads::kSmallBodyBytesMax);
    REQUIRE(asked(*sink) == Flow::kWaitDisk);
    CHECK(sink->waits_for_memory() != nullptr);
    const int resumed = second.resumed;
    given_back->clear();
    CHECK(second.resumed > resumed);
    CHECK(asked(*sink) == Flow::kMore);
    CHECK(sink->waits_for_memory() == nullptr);
    CHECK_FALSE(f.json.small_memory.waits(second));
  }
}

TEST_CASE("a JSON sink tells that it waits for memory, and a chunk that comes unasked is refused") {
  inner_strategy = &sinks_here().front();
  constexpr std::size_t kLimit = 1u << 20;
  JsonFixture f(kLimit, Base64Choice::kAuto, 64 * kSlabBytes, 0);
  const auto make = [&f](Resumer& resumer) {
    return make_json_sink(f.uploads, resumer, kTarget, *inner_strategy, kLimit - 64);
  };
  const auto small = take_small_memory(f);
  CountingResumer first, second, third;
  const auto a = make(first), b = make(second);
  REQUIRE(a->write(Chunk()).value() == Flow::kMore);
  REQUIRE(b->write(Chunk()).value() == Flow::kMore);  // overdraws
  auto c = make(third);
  CHECK(c->waits_for_memory() == nullptr);
  REQUIRE(c->write(Chunk()).value() == Flow::kWaitDisk);
  CHECK(c->waits_for_memory() != nullptr);
  CHECK(b->waits_for_memory() == nullptr);
  const auto unasked = c->write(Chunk(f.slabs.acquire(third), 0, 10));
  REQUIRE_FALSE(unasked.ok());
  CHECK(unasked.error().code == ErrorCode::kNoMemory);
  c.reset();
  CHECK_FALSE(f.json.memory.waits(third));
  CHECK_FALSE(f.json.small_memory.waits(third));
}

TEST_CASE("a JSON upload destroyed after any step leaves nothing behind") {
  const std::string file = body_of(10 * kSlabBytes + 1);  // more than is decoded in one go
  const std::string body = json_of(file);
  for_every_inner([&] {
    bool over = false;
    const int writes = static_cast<int>(body.size() / kSlabBytes);
    for (int steps = 0; !over; steps += steps < writes - 3 ? 3 : 1) {
      INFO(steps << " steps");
      JsonFixture f;
      bool finishing = false;
      {
        Upload upload(f, kWrapped, kTarget);
        upload.stop_after(steps);
        upload.write(body, {kSlabBytes});
        REQUIRE(f.turns.run_until([&] { return upload.over() || upload.stopped(); }));
        over = upload.over();
        finishing = upload.finishing();
      }
      f.check_clean();
      // A publication that was under way may have come through: whole, or not at all.
      if (finishing && fs::exists(f.root / "dir/file")) {
        CHECK(content_of(f.root / "dir/file") == file);
      } else {
        CHECK_FALSE(over);
        CHECK_FALSE(fs::exists(f.root / "dir/file"));
      }
    }
  });
}

TEST_CASE("a JSON upload tells what the client called its file") {
  for_every_inner([] {
    JsonFixture f;
    CountingResumer resumer;
    auto sink = make_json_sink(f.uploads, resumer, kTarget, *inner_strategy, std::nullopt);
    SlabRef slab = f.slabs.acquire(resumer);
    const std::string body = json_of("hello");
    std::copy(body.begin(), body.end(), reinterpret_cast<char*>(slab.data()));
    REQUIRE(sink->write(Chunk(std::move(slab), 0, body.size())).value() == Flow::kMore);
    REQUIRE(f.turns.run_until([&] { return sink->finish().value() == Flow::kDone; }));
    REQUIRE(sink->form()->files.size() == 1);
    CHECK(sink->form()->files[0].field == "file");
    CHECK(sink->form()->files[0].filename == "../ab");
    CHECK(sink->form()->files[0].stored.size == 5);
  });
}

}  // namespace
}  // namespace forklift
