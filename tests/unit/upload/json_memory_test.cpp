#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/loop_support.h"
#include "worker/upload/memory_budget.h"

using namespace forklift;
using forklift::testing::CountingResumer;

namespace {

constexpr std::size_t kMiB = 1024 * 1024;

/// Whether it got it.
bool grow(MemoryBudget& budget, BodyBuffer& buffer, std::size_t bytes, Resumer& waiter) {
  const auto grown = budget.grow(buffer, bytes, waiter);
  REQUIRE(grown.ok());
  if (*grown) REQUIRE(buffer.capacity() >= bytes);
  return *grown;
}

}  // namespace

TEST_CASE("body memory is handed out up to the budget, to the first in line beyond it, to others later") {
  MemoryBudget budget(4 * kMiB, 8 * kMiB);
  CountingResumer first, second, third, fourth;
  BodyBuffer a, b, c, d;
  REQUIRE(grow(budget, a, 3 * kMiB, first));
  // The first in line overdraws, and goes on doing so.
  REQUIRE(grow(budget, b, 2 * kMiB, second));
  CHECK_FALSE(grow(budget, c, 2 * kMiB, third));
  // One that asks for little does not overtake one that waits, nor does one that has some already.
  CHECK_FALSE(grow(budget, d, kMiB, fourth));
  CHECK_FALSE(grow(budget, a, 4 * kMiB, first));
  REQUIRE(grow(budget, b, 8 * kMiB, second));
  CHECK(budget.bytes_in_use() == 11 * kMiB);
  b = BodyBuffer();
  CHECK(third.resumed == 1);
  CHECK(fourth.resumed == 0);
  REQUIRE(grow(budget, c, 2 * kMiB, third));
  CHECK(fourth.resumed == 1);
  CHECK(budget.waits(fourth));
  CHECK_FALSE(budget.waits(third));
  CHECK_FALSE(grow(budget, d, kMiB, fourth));
  a = BodyBuffer();
  REQUIRE(grow(budget, d, kMiB, fourth));
  CHECK_FALSE(budget.waits(fourth));
}

TEST_CASE("who has overdrawn waits like everyone else once the others have given back enough") {
  MemoryBudget budget(4 * kMiB, 8 * kMiB);
  CountingResumer first, second, third;
  BodyBuffer a, b, c;
  REQUIRE(grow(budget, a, 3 * kMiB, first));
  REQUIRE(grow(budget, b, 2 * kMiB, second));
  a = BodyBuffer();
  REQUIRE(grow(budget, c, 4 * kMiB, third));
  CHECK_FALSE(grow(budget, b, 4 * kMiB, second));
  c = BodyBuffer();
  CHECK(grow(budget, b, 4 * kMiB, second));
}

TEST_CASE("a waiter for body memory that goes away lets the next one through") {
  MemoryBudget budget(2 * kMiB, 2 * kMiB);
  CountingResumer first, second, third, fourth;
  BodyBuffer a, b, c, d;
  REQUIRE(grow(budget, a, 2 * kMiB, first));
  REQUIRE(grow(budget, b, kMiB, second));
  CHECK_FALSE(grow(budget, c, 2 * kMiB, third));
  CHECK_FALSE(grow(budget, d, kMiB, fourth));
  budget.forget(third);
  CHECK_FALSE(budget.waits(third));
  CHECK(fourth.resumed == 1);
  a = BodyBuffer();
  CHECK(grow(budget, d, kMiB, fourth));
}

TEST_CASE("more body memory than a buffer may have is refused at once") {
  MemoryBudget budget(8 * kMiB, 2 * kMiB);
  CountingResumer waiter;
  BodyBuffer buffer;
  const auto refused = budget.grow(buffer, 2 * kMiB + 1, waiter);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kNoMemory);
}

TEST_CASE("body memory keeps what it holds when it grows") {
  MemoryBudget budget(16 * kMiB, 16 * kMiB);
  CountingResumer waiter;
  BodyBuffer buffer;
  REQUIRE(grow(budget, buffer, 1000, waiter));
  std::memset(buffer.data(), 'x', 1000);
  REQUIRE(grow(budget, buffer, 9 * kMiB, waiter));
  buffer.data()[9 * kMiB - 1] = 'y';
  CHECK(std::string(buffer.data(), 1000) == std::string(1000, 'x'));
  REQUIRE(grow(budget, buffer, 1000, waiter));
  CHECK(budget.bytes_in_use() == buffer.capacity());
}

TEST_CASE("body memory of usual sizes is used again, within the budget") {
  MemoryBudget budget(64 * kMiB, 64 * kMiB);
  CountingResumer waiter;
  char* data = nullptr;
  {
    BodyBuffer buffer;
    REQUIRE(grow(budget, buffer, 350000, waiter));
    data = buffer.data();
    data[349999] = 'x';
  }
  CHECK(budget.bytes_in_use() == 0);
  CHECK(budget.bytes_warm() == MemoryBudget::rounded(350000));
  {
    BodyBuffer buffer;
    REQUIRE(grow(budget, buffer, 340000, waiter));
    CHECK(buffer.data() == data);
  }
  {
    BodyBuffer all;
    REQUIRE(grow(budget, all, 64 * kMiB, waiter));
  }
  CHECK(budget.bytes_warm() == 0);
}

TEST_CASE("body memory is rounded up by a quarter at most") {
  for (std::size_t bytes = 64 * 1024; bytes < 3 * kMiB; bytes += 999) {
    const std::size_t size = MemoryBudget::rounded(bytes);
    REQUIRE(size >= bytes);
    REQUIRE(size <= bytes + bytes / 4);
    REQUIRE(MemoryBudget::rounded(size) == size);
  }
}

namespace {

/// A body that grows to its size bit by bit; it asks only when it is told to.
struct Body {
  BodyBuffer buffer;
  CountingResumer resumer;
  int seen = 0;  // of resumer.resumed
  std::size_t size = 0;
  bool waits = false;
  bool gone = false;
};

}  // namespace

TEST_CASE("bodies that grow never wait for each other, and never exceed the bound") {
  constexpr std::size_t kMax = 1 * kMiB, kBufferMax = 512 * 1024;
  for (unsigned seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    MemoryBudget budget(kMax, kBufferMax);
    std::vector<std::unique_ptr<Body>> bodies;
    for (int i = 0; i < 20; ++i) {
      bodies.push_back(std::make_unique<Body>());
      bodies.back()->size = 1 + random() % kBufferMax;
    }
    int steps = 0;
    for (std::size_t left = bodies.size(); left > 0; ++steps) {
      std::vector<Body*> can_go;
      for (const auto& body : bodies) {
        if (!body->gone && (!body->waits || body->resumer.resumed > body->seen)) can_go.push_back(body.get());
      }
      REQUIRE_FALSE(can_go.empty());
      Body& body = *can_go[random() % can_go.size()];
      body.seen = body.resumer.resumed;
      const std::size_t next = std::min(body.size, body.buffer.capacity() + 1 + random() % 100000);
      body.waits = !grow(budget, body.buffer, next, body.resumer);
      REQUIRE(body.waits == budget.waits(body.resumer));
      REQUIRE(budget.bytes_in_use() <= kMax + kBufferMax);
      const bool leaves = body.waits && random() % 50 == 0;
      if (leaves || (!body.waits && next == body.size)) {
        budget.forget(body.resumer);
        body.buffer = BodyBuffer();
        body.gone = true;
        --left;
      }
    }
    REQUIRE(steps > 20);
    CHECK(budget.bytes_in_use() == 0);
  }
}
