// Sending what is on a disk and not in memory.

#include <string>

#include "support/cold_file.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

TEST_CASE("a file that is not in memory is sent as it is, and may be given up at any step") {
  const std::string body = body_of(2 * kReadAheadBytes + 3 * kSlabBytes + 1);
  for (const SourceStrategy& strategy : sources_here()) {
    bool over = false;
    for (int steps = 0; !over; ++steps) {
      INFO(strategy.name << " after " << steps << " steps");
      REQUIRE(steps < 1000);
      ContractFixture f;
      write_file(f.root / "file", body);
      drop_from_memory(f.root / "file");
      {
        SocketPair pair = tcp_pair();
        std::string received;
        Download download(f, strategy, "file", std::move(pair.server));
        ClientThread client([&] { received = receive_all(pair.client.get()); });
        download.stop_after(steps);
        CHECK(f.turns.run_until([&] { return download.over() || download.stopped(); }));
        over = download.over();
        if (!over) ::shutdown(pair.client.get(), SHUT_RDWR);
        client.join();
        if (over) CHECK((received == body));
      }
      f.check_clean();
    }
  }
}

}  // namespace
}  // namespace forklift
