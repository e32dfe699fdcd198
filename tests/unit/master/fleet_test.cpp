#include "support/catch.h"
#include "support/fleet_harness.h"

namespace forklift {

TEST_CASE("a fleet starts as many workers as it is asked for, and lets each accept when it is ready") {
  FleetHarness it(2);
  it.start();
  CHECK(it.asked() == "spawn 1 slot 0 generation 1; spawn 2 slot 1 generation 1");
  it.ready(2);
  CHECK(it.asked() == "accept 2");
  CHECK(it.fleet.serving() == 1);
}

TEST_CASE("a worker that crashed after a life is replaced at once") {
  FleetHarness it(2);
  it.serve();
  it.now += seconds(6);
  it.exited(1, kSegv);
  CHECK(it.asked() == "spawn 3 slot 0 generation 1");
}

TEST_CASE("a young worker that someone else killed is replaced at once") {
  FleetHarness it(2);
  it.serve();
  it.exited(2, kSigkill);
  CHECK(it.asked() == "spawn 3 slot 1 generation 1");
}

TEST_CASE("a worker that crashes young waits longer each time, and its neighbours do not") {
  FleetHarness it(2);
  it.serve();
  it.exited(1, kSegv);
  CHECK(it.asked().empty());
  it.pass(milliseconds(79));
  CHECK(it.asked().empty());
  it.pass(milliseconds(42));
  CHECK(it.asked() == "spawn 3 slot 0 generation 1");
  it.exited(3, kStatus3);
  it.pass(milliseconds(159));
  CHECK(it.asked().empty());
  it.pass(milliseconds(82));
  CHECK(it.asked() == "spawn 4 slot 0 generation 1");
  it.exited(2, kSigkill);
  CHECK(it.asked() == "spawn 5 slot 1 generation 1");
}

TEST_CASE("the back-off ends at half a minute, and a fleet that has served never gives up") {
  FleetHarness it(1);
  it.serve();
  WorkerId id = 1;
  for (int failures = 0; failures < 30; ++failures) {
    it.exited(id++, kStatus3);
    const TimePoint died_at = it.now;
    while (it.asked().empty() && it.now - died_at < seconds(37)) it.pass(milliseconds(100));
    REQUIRE(it.asked() == log::text("spawn ", id, " slot 0 generation 1"));
    REQUIRE(it.now - died_at <= milliseconds(36100));
  }
}

TEST_CASE("process starts are bounded, and what is due is done when the budget allows it") {
  FleetHarness it(1);
  it.serve();
  for (const WorkerId id : {WorkerId{1}, WorkerId{2}}) {
    it.exited(id, kSigkill);
    REQUIRE(it.asked() == log::text("spawn ", id + 1, " slot 0 generation 1"));
    it.ready(id + 1);
  }
  it.exited(3, kSigkill);
  CHECK(it.asked().empty());
  it.pass(milliseconds(102));
  CHECK(it.asked() == "spawn 4 slot 0 generation 1");
}

TEST_CASE("a start at which nothing ever becomes ready ends with 3 and the reason") {
  FleetHarness it(2);
  it.start();
  WorkerId id = 1;
  for (int round = 0; round < 2; ++round) {
    it.exited(id++, kStatus3);
    it.exited(id++, kStatus3);
    it.pass(milliseconds(400));
  }
  it.exited(id++, kStatus3);
  CHECK(it.asked().empty());
  it.exited(id++, kStatus3);
  CHECK(it.asked() == "exit 3");
  CHECK(it.noted("no worker ever became ready, the last one exited with status 3"));
}

TEST_CASE("a worker that cannot be spawned counts as one that died young") {
  FleetHarness it(1);
  it.start();
  it.last = it.fleet.spawn_failed(1, "could not be started", it.now);
  CHECK(it.asked().empty());
  it.pass(milliseconds(121));
  CHECK(it.asked() == "spawn 2 slot 0 generation 1");
}

TEST_CASE("a worker that breaks the contract is killed and replaced") {
  FleetHarness it(1);
  it.serve();
  it.now += seconds(6);
  it.last = it.fleet.broke_contract(1, "babbled", it.now);
  CHECK(it.asked() == "kill 1 by 9; spawn 2 slot 0 generation 1");
  it.exited(1, kSigkill);
  CHECK(it.asked().empty());
}

TEST_CASE("a worker that closes its channel has three seconds to exit") {
  FleetHarness it(1);
  it.serve();
  it.last = it.fleet.channel_closed(1, it.now);
  it.pass(milliseconds(2900), {1});
  CHECK(it.asked().empty());
  it.pass(milliseconds(200), {1});
  CHECK(it.asked().starts_with("kill 1 by 9"));
}

TEST_CASE("TTIN adds a worker, TTOU drains one, and the last one stays") {
  FleetHarness it(1);
  it.serve();
  it.last = it.fleet.resize(+1, it.now);
  CHECK(it.asked() == "spawn 2 slot 1 generation 1");
  it.ready(2);
  it.last = it.fleet.resize(-1, it.now);
  CHECK(it.asked() == "drain 2");
  it.last = it.fleet.resize(-1, it.now);
  CHECK(it.asked().empty());
}

TEST_CASE("a worker that somebody else told to leave is replaced at once, and may finish") {
  FleetHarness it(2);
  it.serve();
  it.last = it.fleet.leaving(1, it.now);
  CHECK(it.asked() == "spawn 3 slot 0 generation 1");
  it.ready(3);
  CHECK(it.asked() == "accept 3");
  it.exited(1, kClean);
  CHECK(it.asked().empty());
}

TEST_CASE("a reload keeps the size that TTIN gave the fleet, unless it brings another") {
  FleetHarness it(1);
  it.serve();
  it.last = it.fleet.resize(+1, it.now);
  it.ready(2);
  it.reload(2);
  it.ready(3);
  CHECK(it.asked() == "accept 3; drain 1; spawn 4 slot 1 generation 2");
  it.ready(4);
  CHECK(it.fleet.target() == 2);
  it.policy.workers = 3;
  it.reload(3);
  CHECK(it.fleet.target() == 3);
}

TEST_CASE("a fleet that shrinks keeps who serves until enough others do") {
  FleetHarness it(2);
  it.serve();
  it.now += seconds(6);
  it.exited(1, kSegv);
  REQUIRE(it.asked() == "spawn 3 slot 0 generation 1");
  it.last = it.fleet.resize(-1, it.now);
  CHECK(it.asked().empty());
  it.ready(3);
  CHECK(it.asked() == "accept 3; drain 2");
}

}  // namespace forklift
