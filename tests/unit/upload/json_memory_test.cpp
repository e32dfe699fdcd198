#include <optional>

#include "support/catch.h"
#include "support/loop_support.h"
#include "worker/upload/memory_budget.h"

using namespace forklift;
using forklift::testing::CountingResumer;

namespace {
constexpr std::size_t kMiB = 1024 * 1024;
}

TEST_CASE("body memory is handed out up to the budget, then to whoever asked first") {
  MemoryBudget budget(4 * kMiB);
  CountingResumer first, second, third;
  BodyBuffer held = *budget.acquire(3 * kMiB, first);
  REQUIRE(held);
  CHECK_FALSE(*budget.acquire(2 * kMiB, second));
  // One that would fit does not overtake one that waits.
  CHECK_FALSE(*budget.acquire(kMiB, third));
  held = BodyBuffer();
  CHECK(second.resumed == 1);
  CHECK_FALSE(*budget.acquire(kMiB, third));
  BodyBuffer next = *budget.acquire(2 * kMiB, second);
  REQUIRE(next);
  CHECK(third.resumed == 1);
  const BodyBuffer last = *budget.acquire(kMiB, third);
  CHECK(last);
  CHECK(budget.bytes_in_use() == 3 * kMiB);
}

TEST_CASE("a waiter for body memory that goes away lets the next one through") {
  MemoryBudget budget(2 * kMiB);
  CountingResumer first, second, third;
  std::optional<BodyBuffer> held = *budget.acquire(kMiB, first);
  CHECK_FALSE(*budget.acquire(2 * kMiB, second));
  CHECK_FALSE(*budget.acquire(kMiB, third));
  budget.forget(second);
  CHECK(third.resumed == 1);
  CHECK(*budget.acquire(kMiB, third));
}

TEST_CASE("more body memory than there is at all is refused at once") {
  MemoryBudget budget(2 * kMiB);
  CountingResumer waiter;
  const auto refused = budget.acquire(2 * kMiB + 1, waiter);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kNoMemory);
}

TEST_CASE("body memory of usual sizes is used again, within the budget") {
  MemoryBudget budget(64 * kMiB);
  CountingResumer waiter;
  char* data = nullptr;
  {
    const BodyBuffer buffer = *budget.acquire(350000, waiter);
    data = buffer.data();
    data[349999] = 'x';
  }
  CHECK(budget.bytes_in_use() == 0);
  CHECK(budget.bytes_warm() == MemoryBudget::rounded(350000));
  { CHECK((*budget.acquire(340000, waiter)).data() == data); }
  { const BodyBuffer all = *budget.acquire(64 * kMiB, waiter); }
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
