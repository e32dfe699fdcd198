// A connection that waits: for memory with an end, for a disk without one.

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/strategy_fixture.h"
#include "worker/http/connection_table.h"

using namespace forklift;
using namespace forklift::testing;

namespace {

constexpr milliseconds kStall{600};

/// Answers GET; anything else is an upload through the disk pool.
class TestRouter final : public Router {
 public:
  Reply route(const RequestHead& head) const override {
    if (head.method == Method::kGet) return Answer{200, "text/plain", "hello", {}};
    return Receive{{"dir/file", PublishMode::kReplace},
                   find_sink_strategy("pool"),
                   StoredStyle::kArticle,
                   BodyFormat::kRaw,
                   {}};
  }
};

Config config_of() {
  Config config;
  config.stall_timeout = kStall;
  return config;
}

struct ServerFixture : ContractFixture {
  ServerFixture() : ContractFixture(8 * kSlabBytes), region(ScoreboardRegion::anonymous().value()) {}

  /// A client that has sent `request`.
  UniqueFd client(std::string_view request) {
    SocketPair pair = tcp_pair();
    table.add(std::move(pair.server));
    send_all(pair.client.get(), request, request.size());
    return std::move(pair.client);
  }

  template <typename Over>
  bool run_until(Over over) {
    return turns.run_until([&] {
      table.destroy_retired();
      return over();
    });
  }
  void run_for(milliseconds time) {
    (void)run_until([end = Clock::now() + time] { return Clock::now() >= end; });
  }

  /// What has been answered to a client by now; nothing is "".
  static std::string answer(const UniqueFd& client) {
    std::string text(4096, '\0');
    const ssize_t size = ::recv(client.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  std::vector<SlabRef> all_slabs() {
    std::vector<SlabRef> all;
    while (SlabRef slab = slabs.acquire_now()) all.push_back(std::move(slab));
    return all;
  }

  Config config = config_of();
  TestRouter router;
  ScoreboardRegion region;
  RequestIds request_ids{1};
  DateCache dates;
  FileAnswers files{MediaTypes::built_in(), ""};
  ConnectionServices services{turns.loop,     config,      router, uploads, downloads,
                              region.board(), request_ids, dates,  nullptr, files};
  ConnectionTable table{services};
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

/// Keeps a thread of the pool from everybody else.
class BusyThread final : public DiskJob {
 public:
  explicit BusyThread(std::shared_future<void> end) : end_(std::move(end)) {}
  void run() override { end_.wait(); }
  void done(std::unique_ptr<DiskJob>) override {}

 private:
  std::shared_future<void> end_;
};

}  // namespace

TEST_CASE("a request that waits for a slab is served when one is free") {
  ServerFixture f;
  auto all = f.all_slabs();
  const UniqueFd client = f.client(kGet);
  f.run_for(kStall / 4);
  CHECK(ServerFixture::answer(client).empty());
  all.clear();
  std::string answer;
  REQUIRE(f.run_until([&] { return !(answer = ServerFixture::answer(client)).empty(); }));
  CHECK(answer.starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a request that waits for a slab too long is told to come again") {
  ServerFixture f;
  const auto all = f.all_slabs();
  const UniqueFd client = f.client(kGet);
  const TimePoint begin = Clock::now();
  std::string answer;
  REQUIRE(f.run_until([&] { return !(answer = ServerFixture::answer(client)).empty(); }));
  CHECK(Clock::now() - begin > kStall * 9 / 10);
  CHECK(answer.starts_with("HTTP/1.1 503 "));
  CHECK(answer.find("\r\nRetry-After: ") != std::string::npos);
  CHECK(answer.find("urn:forklift:problem:busy") != std::string::npos);
  CHECK(f.run_until([&] { return f.table.size() == 0; }));
}

TEST_CASE("a client that leaves while it waits for a slab is gone at once") {
  ServerFixture f;
  const auto all = f.all_slabs();
  // Closed with an answer unread would be a reset; so is this.
  const linger at_once{1, 0};
  UniqueFd client = f.client(kGet);
  f.run_for(kStall / 4);
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  client = UniqueFd();
  const TimePoint begin = Clock::now();
  REQUIRE(f.run_until([&] { return f.table.size() == 0; }));
  CHECK(Clock::now() - begin < kStall / 2);
}

TEST_CASE("a request that waits for the disk is waited for as long as the disk takes") {
  ServerFixture f;
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  for (int i = 0; i < 64; ++i) f.disk.submit(std::make_unique<BusyThread>(ended));
  const UniqueFd client = f.client(kPost);
  f.run_for(kStall * 3);
  CHECK(ServerFixture::answer(client).empty());
  CHECK(f.table.size() == 1);
  end.set_value();
  std::string answer;
  REQUIRE(f.run_until([&] { return !(answer = ServerFixture::answer(client)).empty(); }));
  CHECK(answer.starts_with("HTTP/1.1 200 "));
}
