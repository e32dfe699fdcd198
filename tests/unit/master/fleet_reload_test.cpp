#include "support/catch.h"
#include "support/fleet_harness.h"

namespace forklift {

TEST_CASE("a reload replaces one worker at a time, the new one first") {
  FleetHarness it(2);
  it.serve();
  it.reload(2);
  CHECK(it.asked() == "spawn 3 slot 0 generation 2");
  it.ready(3);
  CHECK(it.asked() == "accept 3; drain 1; spawn 4 slot 1 generation 2");
  it.exited(1, kClean);
  CHECK(it.asked().empty());
  it.ready(4);
  CHECK(it.asked() == "accept 4; drain 2");
  CHECK(it.noted("generation 2 serves"));
  CHECK_FALSE(it.fleet.may_spawn(1));
}

TEST_CASE("a reload whose first worker dies is rolled back and nobody else is touched") {
  FleetHarness it(2);
  it.serve();
  it.reload(2);
  it.exited(3, kStatus3);
  CHECK(it.asked().empty());
  CHECK(it.noted("reload rolled back"));
  CHECK(it.noted("exited with status 3"));
  CHECK(it.fleet.serving() == 2);
  it.pass(seconds(100), {1, 2});
  CHECK(it.asked().empty());
  it.exited(1, kSegv);
  CHECK(it.asked() == "spawn 4 slot 0 generation 1");
}

TEST_CASE("a reload to a worker with another ABI is rolled back") {
  FleetHarness it(1);
  it.serve();
  it.reload(2);
  it.last = it.fleet.broke_contract(2, "speaks ABI 99", it.now);
  CHECK(it.asked() == "kill 2 by 9");
  CHECK(it.noted("reload rolled back"));
}

TEST_CASE("a reload that fails half-way goes back the way it came") {
  FleetHarness it(2);
  it.serve();
  it.reload(2);
  it.ready(3);  // slot 0 is done, worker 4 boots in slot 1
  it.exited(4, kSegv);
  CHECK(it.asked() == "spawn 5 slot 0 generation 1");
  it.ready(5);
  CHECK(it.asked() == "accept 5; drain 3");
}

TEST_CASE("a newcomer that someone else killed is tried again") {
  FleetHarness it(1);
  it.serve();
  it.reload(2);
  it.exited(2, kSigkill);
  CHECK(it.asked() == "spawn 3 slot 0 generation 2");
}

TEST_CASE("an old worker that dies during a reload is replaced by what is known to work") {
  FleetHarness it(2);
  it.serve();
  it.now += seconds(6);
  it.reload(2);
  it.exited(2, kSegv);
  CHECK(it.asked() == "spawn 4 slot 1 generation 1");
}

TEST_CASE("reloads asked for during a reload become one") {
  FleetHarness it(1);
  it.serve();
  it.reload(2);
  it.reload(3);
  CHECK(it.asked().empty());
  it.reload(4);
  CHECK(it.asked().empty());
  CHECK_FALSE(it.fleet.may_spawn(3));
  it.ready(2);
  CHECK(it.asked() == "accept 2; drain 1; spawn 3 slot 0 generation 4");
}

TEST_CASE("a reload to fewer workers lets the others go when it is done") {
  FleetHarness it(2);
  it.serve();
  it.policy.workers = 1;
  it.reload(2);
  CHECK(it.asked() == "spawn 3 slot 0 generation 2");
  it.ready(3);
  CHECK(it.asked() == "accept 3; drain 1; drain 2");
}

TEST_CASE("a reload to more workers starts them once the first has proven itself") {
  FleetHarness it(1);
  it.serve();
  it.policy.workers = 3;
  it.reload(2);
  CHECK(it.asked() == "spawn 2 slot 0 generation 2");
  it.ready(2);
  CHECK(it.asked() == "accept 2; drain 1; spawn 3 slot 1 generation 2; spawn 4 slot 2 generation 2");
}

TEST_CASE("a reload mends a fleet whose workers cannot start") {
  FleetHarness it(1);
  it.start();
  it.exited(1, kStatus3);
  it.reload(2);
  CHECK(it.asked() == "spawn 2 slot 0 generation 2");
  it.ready(2);
  CHECK(it.asked() == "accept 2");
  CHECK(it.noted("generation 2 serves"));
}

TEST_CASE("a fleet never falls back to what has never served") {
  FleetHarness it(2);
  it.start();
  it.exited(1, kStatus3);
  it.exited(2, kStatus3);
  it.reload(2);
  it.ready(3);
  it.exited(3, kSegv);
  CHECK_FALSE(it.noted("rolled back"));
}

TEST_CASE("what a reload has brought is what the next one falls back to") {
  FleetHarness it(2);
  it.start();
  it.exited(1, kStatus3);
  it.exited(2, kStatus3);
  it.reload(2);
  it.ready(3);
  it.pass(milliseconds(200), {3});
  it.ready(4);
  it.pass(seconds(2), {3, 4});
  REQUIRE_FALSE(it.fleet.may_spawn(1));
  it.reload(3);
  it.ready(5);
  it.exited(5, kSegv);
  CHECK(it.noted("reload rolled back, generation 2 stays"));
}

TEST_CASE("a reload may have several extra workers at a time, once the first has proven itself") {
  FleetHarness it(4);
  it.serve();
  it.policy.max_surge = 2;
  it.reload(2);
  CHECK(it.asked() == "spawn 5 slot 0 generation 2");
  it.ready(5);
  CHECK(it.asked() == "accept 5; drain 1; spawn 6 slot 1 generation 2; spawn 7 slot 2 generation 2");
  it.ready(7);
  CHECK(it.asked() == "accept 7; drain 3; spawn 8 slot 3 generation 2");
}

namespace {

/// Worker 1 drains generation 1, worker 2 generation 2; worker 3 serves, and no more may drain.
void drain_two_generations(FleetHarness& it) {
  it.serve();
  for (const Generation generation : {Generation{2}, Generation{3}}) {
    it.reload(generation);
    it.ready(generation);
    REQUIRE(it.asked() == log::text("accept ", generation, "; drain ", generation - 1));
    it.pass(seconds(100), {generation}, {1, 2});
    REQUIRE(it.asked().empty());
  }
}

}  // namespace

TEST_CASE("a drain that moves outlives any number of reloads, and those that find no room wait") {
  FleetHarness it(1);
  drain_two_generations(it);
  it.reload(4);
  CHECK(it.asked().empty());
  CHECK(it.noted("the reload to generation 4 waits"));
  CHECK(
      it.noted("1 (1 worker), 2 (1 worker); only a stop (TERM) or a quick stop (INT, QUIT) would cut them"));
  it.pass(seconds(3600), {3}, {1, 2});
  CHECK(it.asked().empty());
  CHECK_FALSE(it.noted("waits"));  // it has been said
  it.reload(5);
  CHECK(it.asked().empty());
  CHECK(it.noted("the reload to generation 5 waits"));
  CHECK_FALSE(it.fleet.may_spawn(4));
  it.exited(2, kClean);  // any of them makes room
  CHECK(it.asked() == "spawn 4 slot 0 generation 5");
}

TEST_CASE("a reload that waits goes on when an old generation has made no progress") {
  FleetHarness it(1);
  drain_two_generations(it);
  it.reload(4);
  it.pass(seconds(21), {3}, {2});
  CHECK(it.asked() == "stop 1");
  CHECK(it.noted("worker 1 drains without progress: stopped"));
  it.pass(seconds(4), {3}, {2});
  CHECK(it.asked() == "kill 1 by 9");
  it.exited(1, kSigkill);
  CHECK(it.asked() == "spawn 4 slot 0 generation 4");
}

TEST_CASE("a reload that allows more old generations need not wait") {
  FleetHarness it(1);
  drain_two_generations(it);
  it.reload(4);
  REQUIRE(it.asked().empty());
  it.policy.old_generations_max = 3;
  it.reload(5);
  CHECK(it.asked() == "spawn 4 slot 0 generation 5");
}

TEST_CASE("a stop gives what a reload waits for its time, and a quick one ends it") {
  const bool quick = GENERATE(false, true);
  FleetHarness it(1);
  drain_two_generations(it);
  it.reload(4);
  it.last = it.fleet.stop(quick, it.now);
  CHECK(it.asked() == (quick ? "stop 1; stop 2; stop 3" : "drain 1; drain 2; drain 3"));
  for (const WorkerId id : {WorkerId{1}, WorkerId{2}, WorkerId{3}}) it.exited(id, kClean);
  CHECK(it.asked() == "exit 0");
}

}  // namespace forklift
