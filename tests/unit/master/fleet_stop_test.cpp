#include "support/catch.h"
#include "support/fleet_harness.h"

namespace forklift {

TEST_CASE("a worker that waits in the kernel for a disk is left alone, and that is said once") {
  FleetHarness it(2);
  it.serve();
  it.in_the_kernel = {2};
  it.pass(seconds(100), {1});
  CHECK(it.asked().empty());
  CHECK(it.noted("worker 2 (slot 1) waits in the kernel"));
  it.pass(seconds(100), {1});
  CHECK_FALSE(it.noted("waits in the kernel"));
  it.in_the_kernel = {};
  it.pass(seconds(100), {1});
  CHECK(it.asked().rfind("kill 2 by 6", 0) == 0);
}

TEST_CASE("TERM drains all, and the master exits 0 when the last one is gone") {
  FleetHarness it(2);
  it.serve();
  it.last = it.fleet.stop(false, it.now);
  CHECK(it.asked() == "drain 1; drain 2");
  it.exited(1, kClean);
  CHECK(it.asked().empty());
  it.exited(2, kClean);
  CHECK(it.asked() == "exit 0");
}

TEST_CASE("a graceful stop takes no longer than it may") {
  FleetHarness it(1);
  it.serve();
  it.last = it.fleet.stop(false, it.now);
  it.pass(milliseconds(19900), {}, {1});
  CHECK(it.asked().empty());
  it.pass(milliseconds(200), {}, {1});
  CHECK(it.asked() == "kill 1 by 9");
}

TEST_CASE("INT stops at once, and who does not go is killed three seconds later") {
  FleetHarness it(1);
  it.serve();
  it.last = it.fleet.stop(true, it.now);
  CHECK(it.asked() == "stop 1");
  it.pass(milliseconds(3001), {1});
  CHECK(it.asked() == "kill 1 by 9");
}

TEST_CASE("told to stop a second time, the master kills") {
  FleetHarness it(2);
  it.serve();
  it.last = it.fleet.stop(false, it.now);
  it.last = it.fleet.stop(false, it.now);
  CHECK(it.asked() == "kill 1 by 9; kill 2 by 9");
}

TEST_CASE("nothing is started while the fleet stops") {
  FleetHarness it(2);
  it.serve();
  it.last = it.fleet.stop(false, it.now);
  it.exited(1, kSegv);
  CHECK(it.asked().empty());
  it.reload(2);
  CHECK(it.asked().empty());
  it.last = it.fleet.resize(+1, it.now);
  CHECK(it.asked().empty());
}

TEST_CASE("a worker that is still booting is stopped, not drained") {
  FleetHarness it(2);
  it.start();
  it.ready(1);
  it.last = it.fleet.stop(false, it.now);
  CHECK(it.asked() == "drain 1; stop 2");
  it.ready(2);
  CHECK(it.asked().empty());
}

TEST_CASE("a loop that stands still is aborted, replaced, and killed if that does not help") {
  FleetHarness it(2);
  it.serve();
  it.pass(seconds(29), {2});
  CHECK(it.asked().empty());
  it.pass(seconds(2), {2});
  CHECK(it.asked() == "kill 1 by 6; spawn 3 slot 0 generation 1");
  it.ready(3);
  it.pass(seconds(4), {2, 3});
  CHECK(it.asked() == "kill 1 by 9");
}

TEST_CASE("without a timeout nobody is aborted") {
  FleetHarness it(1, milliseconds(0));
  it.serve();
  it.pass(seconds(1000));
  CHECK(it.asked().empty());
}

TEST_CASE("a machine that was suspended kills nobody, and the watch begins anew") {
  FleetHarness it(1);
  it.serve();
  it.pass(seconds(10), {1});
  it.now += seconds(3600);
  it.tick({});
  CHECK(it.asked().empty());
  it.pass(seconds(20));
  CHECK(it.asked().empty());
  it.pass(seconds(12));
  CHECK(it.asked().starts_with("kill 1 by 6"));
}

TEST_CASE("a worker that is not ready within half a minute is aborted") {
  FleetHarness it(1);
  it.start();
  it.pass(seconds(29));
  CHECK(it.asked().empty());
  it.pass(seconds(2));
  CHECK(it.asked().starts_with("kill 1 by 6"));
}

TEST_CASE("a drain that moves goes on, one that stands still is stopped") {
  FleetHarness it(1);
  it.serve();
  it.reload(2);
  it.ready(2);
  REQUIRE(it.asked() == "accept 2; drain 1");
  it.pass(seconds(3600), {2}, {1});
  CHECK(it.asked().empty());
  it.pass(seconds(22), {1, 2});
  CHECK(it.asked() == "stop 1");
}

TEST_CASE("a drain that waits for a slow disk is not taken for one that stands still") {
  FleetHarness it(1);
  it.serve();
  it.reload(2);
  it.ready(2);
  for (int second = 0; second < 100; ++second) {
    it.now += seconds(1);
    it.last = it.fleet.tick({Pulse{1, it.turn, 0, true}, Pulse{2, ++it.turn, 0}}, it.now);
    it.turn += 10;
    REQUIRE(it.asked().empty());
  }
}

}  // namespace forklift
