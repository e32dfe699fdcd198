#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.h"
#include "worker/loop/chunk.h"

namespace forklift {
namespace {

/// Writes its name down when it is resumed.
struct Waiter final : Resumer {
  Waiter(char name, std::string& log) : name_(name), log_(log) {}
  void resume() override { log_ += name_; }
  char name_;
  std::string& log_;
};

struct Waiters {
  std::string resumed;
  Waiter a{'a', resumed};
  Waiter b{'b', resumed};
  Waiter c{'c', resumed};
};

TEST_CASE("a slab is aligned as O_DIRECT asks, and all of it can be written") {
  SlabPool pool(4 * kSlabBytes);
  Waiters w;
  const SlabRef slab = pool.acquire(w.a);
  REQUIRE(slab);
  CHECK(reinterpret_cast<std::uintptr_t>(slab.data()) % kSlabAlignment == 0);
  std::memset(slab.data(), 0x5a, kSlabBytes);
  CHECK(pool.bytes_in_use() == kSlabBytes);
}

TEST_CASE("the slab that came back last goes out first") {
  SlabPool pool(8 * kSlabBytes);
  Waiters w;
  SlabRef first = pool.acquire(w.a);
  SlabRef second = pool.acquire(w.a);
  const std::byte* last_back = first.data();
  second = SlabRef();
  first = SlabRef();
  CHECK(pool.acquire(w.a).data() == last_back);
}

TEST_CASE("over the budget there is no slab, and waiters are resumed in order, one a slab") {
  SlabPool pool(2 * kSlabBytes);
  Waiters w;
  std::vector<SlabRef> held{pool.acquire(w.a), pool.acquire(w.a)};
  CHECK_FALSE(pool.acquire(w.b));
  CHECK_FALSE(pool.acquire(w.c));
  CHECK_FALSE(pool.acquire(w.b));
  CHECK_FALSE(pool.acquire(w.a));
  CHECK(w.resumed.empty());
  held.pop_back();
  CHECK(w.resumed == "b");
  held.pop_back();
  CHECK(w.resumed == "bc");
  held.push_back(pool.acquire(w.b));
  held.push_back(pool.acquire(w.c));
  held.clear();
  CHECK(w.resumed == "bca");
}

TEST_CASE("a waiter that asks twice has one turn, not two") {
  SlabPool pool(3 * kSlabBytes);
  Waiters w;
  std::vector<SlabRef> held{pool.acquire(w.a), pool.acquire(w.a), pool.acquire(w.a)};
  CHECK_FALSE(pool.acquire(w.b));
  CHECK_FALSE(pool.acquire(w.b));
  CHECK_FALSE(pool.acquire(w.c));
  CHECK_FALSE(pool.acquire(w.a));
  held.clear();
  CHECK(w.resumed == "bca");
}

TEST_CASE("a pool hands out two slabs under any budget, so that every strategy can move") {
  SlabPool pool(0);
  Waiters w;
  const SlabRef one = pool.acquire(w.a);
  const SlabRef two = pool.acquire(w.a);
  CHECK(one);
  CHECK(two);
  CHECK_FALSE(pool.acquire(w.a));
}

TEST_CASE("a waiter that was forgotten is not resumed") {
  SlabPool pool(2 * kSlabBytes);
  Waiters w;
  std::vector<SlabRef> held{pool.acquire(w.a), pool.acquire(w.a)};
  CHECK_FALSE(pool.acquire(w.a));
  CHECK_FALSE(pool.acquire(w.b));
  pool.forget(w.a);
  pool.forget(w.c);
  held.clear();
  CHECK(w.resumed == "b");
}

TEST_CASE("a waiter that was resumed and dies passes its turn on") {
  SlabPool pool(2 * kSlabBytes);
  Waiters w;
  std::vector<SlabRef> held{pool.acquire(w.a), pool.acquire(w.a)};
  CHECK_FALSE(pool.acquire(w.a));
  CHECK_FALSE(pool.acquire(w.b));
  held.pop_back();
  CHECK(w.resumed == "a");
  pool.forget(w.a);
  CHECK(w.resumed == "ab");
}

TEST_CASE("a waiter that found its slab by itself waits no longer") {
  SlabPool pool(2 * kSlabBytes);
  Waiters w;
  std::vector<SlabRef> held{pool.acquire(w.c), pool.acquire(w.c)};
  CHECK_FALSE(pool.acquire(w.a));
  CHECK_FALSE(pool.acquire(w.b));
  held.clear();  // resumes a and b
  held.push_back(pool.acquire(w.c));
  held.push_back(pool.acquire(w.c));
  CHECK_FALSE(pool.acquire(w.a));
  CHECK_FALSE(pool.acquire(w.b));
  w.resumed.clear();
  held.erase(held.begin());  // resumes a
  held.push_back(pool.acquire(w.b));
  CHECK_FALSE(pool.acquire(w.a));
  held.pop_back();
  CHECK(w.resumed == "aa");
}

TEST_CASE("while less than half the budget is spent, slabs are plentiful") {
  SlabPool pool(4 * kSlabBytes);
  Waiters w;
  const SlabRef one = pool.acquire(w.a);
  CHECK(pool.plentiful());
  const SlabRef two = pool.acquire(w.a);
  CHECK_FALSE(pool.plentiful());
}

TEST_CASE("slabs that are not needed any more go back to the system, half of them at a time") {
  FreeSlabs free;
  std::vector<Slab*> slabs;
  for (int i = 0; i < 9; ++i) slabs.push_back(free.take());
  for (Slab* slab : slabs) free.put(slab);
  free.trim();
  CHECK(free.size() == 9);
  free.put(free.take());
  free.trim();
  CHECK(free.size() == 5);
  free.trim();
  free.trim();
  free.trim();
  CHECK(free.size() == 0);
}

TEST_CASE("of slabs that go, those that came back last stay") {
  FreeSlabs free;
  Slab* first = free.take();
  Slab* last = free.take();
  free.put(first);
  free.put(last);
  free.trim();
  free.trim();
  REQUIRE(free.size() == 1);
  CHECK(free.take() == last);
  free.put(last);
}

TEST_CASE("two budgets share free slabs, and each counts its own") {
  SlabPool bodies(4 * kSlabBytes);
  SlabPool spool(2 * kSlabBytes, bodies);
  const std::byte* memory = bodies.acquire_now().data();
  const SlabRef gathered = spool.acquire_now();
  CHECK(gathered.data() == memory);
  CHECK(bodies.bytes_in_use() == 0);
  CHECK(spool.bytes_in_use() == kSlabBytes);
}

TEST_CASE(
    "two budgets together hold the larger and a quarter of the smaller, and either is sure of that quarter") {
  SlabPool bodies(16 * kSlabBytes);
  SlabPool spool(8 * kSlabBytes, bodies);
  Waiters w;
  std::vector<SlabRef> held;
  SECTION("what is gathered leaves less for what is in flight, which goes on when it has gone") {
    for (int i = 0; i < 8; ++i) held.push_back(spool.acquire_now());
    for (int i = 0; i < 10; ++i) {
      held.push_back(bodies.acquire(w.a));
      REQUIRE(held.back());
    }
    CHECK_FALSE(bodies.acquire(w.a));
    CHECK(w.resumed.empty());
    held.erase(held.begin());
    CHECK(w.resumed == "a");
    CHECK(bodies.acquire(w.a));
  }
  SECTION("what is in flight leaves a quarter for what is gathered") {
    for (int i = 0; i < 16; ++i) {
      held.push_back(bodies.acquire(w.a));
      REQUIRE(held.back());
    }
    for (int i = 0; i < 2; ++i) {
      held.push_back(spool.acquire_now());
      REQUIRE(held.back());
    }
    CHECK_FALSE(spool.acquire_now());
  }
}

TEST_CASE("a slab that another budget adopts makes room in its own") {
  SlabPool bodies(2 * kSlabBytes);
  SlabPool spool(2 * kSlabBytes, bodies);
  Waiters w;
  const SlabRef one = bodies.acquire_now();
  const SlabRef two = bodies.acquire_now();
  CHECK_FALSE(bodies.acquire(w.a));
  CHECK(spool.adopt(one.slab()));
  CHECK(spool.adopt(one.slab()));
  CHECK(w.resumed == "a");
  CHECK(bodies.bytes_in_use() == kSlabBytes);
  CHECK(spool.bytes_in_use() == kSlabBytes);
  const SlabRef three = spool.acquire_now();
  CHECK_FALSE(spool.adopt(two.slab()));
}

/// A chunk that holds `text` at some offset of a slab.
Chunk chunk_of(SlabPool& pool, const std::string& text) {
  std::string log;
  Waiter nobody('x', log);
  SlabRef slab = pool.acquire(nobody);
  std::memcpy(slab.data() + 100, text.data(), text.size());
  return Chunk(std::move(slab), 100, text.size());
}

std::string text_of(const Chunk& chunk) {
  return {reinterpret_cast<const char*>(chunk.bytes().data()), chunk.size()};
}

TEST_CASE("chunks split without copying, and the last of them gives the slab back") {
  SlabPool pool(4 * kSlabBytes);
  std::optional<Chunk> rest = chunk_of(pool, "hello world");
  std::optional<Chunk> middle = rest->slice(4, 3);
  std::optional<Chunk> front = rest->take_front(5);
  rest->drop_front(1);
  CHECK(text_of(*front) == "hello");
  CHECK(text_of(*middle) == "o w");
  CHECK(text_of(*rest) == "world");
  CHECK(front->bytes().data() + 6 == rest->bytes().data());
  CHECK(pool.bytes_in_use() == kSlabBytes);
  front.reset();
  rest.reset();
  CHECK(pool.bytes_in_use() == kSlabBytes);
  middle.reset();
  CHECK(pool.bytes_in_use() == 0);
}

TEST_CASE("a chunk that is used up holds no slab") {
  SlabPool pool(4 * kSlabBytes);
  Chunk chunk = chunk_of(pool, "abc");
  chunk.drop_front(3);
  CHECK(chunk.empty());
  CHECK(chunk.bytes().empty());
  CHECK(pool.bytes_in_use() == 0);

  Chunk other = chunk_of(pool, "abc");
  CHECK(other.slice(1, 0).empty());
  {
    const Chunk all = other.take_front(3);
    CHECK(other.empty());
    CHECK(text_of(all) == "abc");
  }
  CHECK(pool.bytes_in_use() == 0);
}

TEST_CASE("shares are counted through copies, moves and assignment to itself") {
  SlabPool pool(4 * kSlabBytes);
  Waiters w;
  SlabRef a = pool.acquire(w.a);
  SlabRef b = a;
  SlabRef c = std::move(a);
  const SlabRef& same = b;
  b = same;
  c = SlabRef();
  CHECK(pool.bytes_in_use() == kSlabBytes);
  b = SlabRef();
  CHECK(pool.bytes_in_use() == 0);
}

}  // namespace
}  // namespace forklift
