#include <cerrno>

#include "support/catch.h"
#include "support/fault_file_ops.h"
#include "support/store_fixture.h"
#include "worker/storage/space.h"

namespace forklift {
namespace {

using namespace testing;

TEST_CASE("a disk that does not say what is free gets no promise, and one interrupted is asked again") {
  faults::reset();
  StoreFixture f;
  Scoreboard board{};
  SpaceReserve space(f.store, board, nullptr, 0);
  faults::fail_always("stat_disk", EIO);
  CHECK(code_of(space.take(1)) == ErrorCode::kIo);
  CHECK_FALSE(space.take_if_plenty(1));
  CHECK(board.space_asked.load() == 0);
  CHECK(board.space_promised.load() == 0);
  faults::reset();
  faults::fail("stat_disk", EINTR);
  CHECK(space.take(1).value().given);
  CHECK(board.space_promised.load() == 1);
}

}  // namespace
}  // namespace forklift
