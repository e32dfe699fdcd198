#include "common/channel.h"

#include <sys/socket.h>

#include <cerrno>

#include "common/inherit.h"
#include "support/catch.h"

namespace forklift {
namespace {

std::pair<UniqueFd, UniqueFd> channel() {
  auto made = make_channel();
  REQUIRE(made.ok());
  return std::move(*made);
}

}  // namespace

TEST_CASE("a message arrives as it was sent, one packet each") {
  const auto [master, worker] = channel();
  REQUIRE(send_message(worker.get(), {MessageKind::kReady, kAbi}).ok());
  REQUIRE(send_message(worker.get(), {MessageKind::kDrained}).ok());
  CHECK(receive_message(master.get()).value() == Message{MessageKind::kReady, kAbi});
  CHECK(receive_message(master.get()).value() == Message{MessageKind::kDrained, 0});
}

TEST_CASE("a channel with nothing in it says so and does not block") {
  const auto [master, worker] = channel();
  const auto nothing = receive_message(master.get());
  REQUIRE(nothing.ok());
  CHECK_FALSE(nothing->has_value());
}

TEST_CASE("the end of a channel is told from silence, and writing to it is no signal") {
  auto [master, worker] = channel();
  worker.reset();
  CHECK(receive_message(master.get()).error().code == ErrorCode::kPeerGone);
  CHECK(send_message(master.get(), {MessageKind::kStop}).error().code == ErrorCode::kPeerGone);
}

TEST_CASE("what is no message is an error: short, long, of another kind, without the mark") {
  const auto both_ends = channel();
  const UniqueFd& master = both_ends.first;
  const UniqueFd& worker = both_ends.second;
  const std::uint32_t right[4] = {0x464b4c46, 1, 1, 0};
  const std::uint32_t unknown_kind[4] = {0x464b4c46, 99, 1, 0};
  const std::uint32_t unmarked[4] = {0, 1, 1, 0};
  const std::uint32_t longer[5] = {0x464b4c46, 1, 1, 0, 0};
  REQUIRE(::send(worker.get(), right, sizeof right, 0) == sizeof right);
  REQUIRE(receive_message(master.get()).ok());
  const auto refused = [&](const void* bytes, std::size_t size) {
    REQUIRE(::send(worker.get(), bytes, size, 0) == static_cast<ssize_t>(size));
    const auto message = receive_message(master.get());
    return !message.ok() && message.error().os_error == EPROTO;
  };
  CHECK(refused(right, 15));
  CHECK(refused(longer, sizeof longer));
  CHECK(refused(unknown_kind, sizeof unknown_kind));
  CHECK(refused(unmarked, sizeof unmarked));
}

TEST_CASE("a channel that nobody reads fills up instead of blocking") {
  const auto [master, worker] = channel();
  Result<void> sent;
  for (int i = 0; i < 100000 && sent; ++i) sent = send_message(master.get(), {MessageKind::kAccept});
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().os_error == EAGAIN);
}

TEST_CASE("an inheritance reads back as it was written") {
  const Inheritance inheritance{3, 12345678901, 2, 4};
  CHECK(format_inheritance(inheritance) == "slot=3 generation=12345678901 listeners=2 region=4");
  CHECK(parse_inheritance(format_inheritance(inheritance)) == inheritance);
}

TEST_CASE("what is no inheritance is refused") {
  for (const char* const text :
       {"", "slot=1", "slot=1 generation=1 listeners=1", "slot=1 generation=1 listeners=0 region=0",
        "slot=-1 generation=1 listeners=1 region=0", "slot=1 generation=1 listeners=1 region=-1",
        "slot=1 generation=1 listeners=1 region=0 ", "slot=1 generation= listeners=1 region=0",
        "slot=99999999999 generation=1 listeners=1 region=0", "generation=1 slot=1 listeners=1 region=0"}) {
    INFO(text);
    CHECK_FALSE(parse_inheritance(text).has_value());
  }
}

}  // namespace forklift
