#include "worker/loop/socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "support/loop_support.h"
#include "support/socket_pair.h"
#include "support/valgrind.h"
#include "worker/loop/acceptor.h"

namespace forklift {
namespace {

using namespace testing;

/// Counts, and does what the test says.
struct Listener final : ReadinessListener {
  void ready() override {
    ++calls;
    if (what) what();
  }
  int calls = 0;
  std::function<void()> what;
};

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string receive_from(Socket& socket, std::size_t bytes_max = 1000) {
  std::string into(bytes_max, '\0');
  const auto io = socket.receive(std::as_writable_bytes(std::span(into)));
  REQUIRE(io.ok());
  into.resize(io->bytes);
  return into;
}

Io::State state_of_receive(Socket& socket) {
  std::byte byte{};
  const auto io = socket.receive({&byte, 1});
  REQUIRE(io.ok());
  return io->state;
}

TEST_CASE("readiness tells of what is there, and only of what is wanted") {
  LoopFixture f;
  const SocketPair pair = unix_pair();
  Listener listener;
  Readiness readiness(f.loop, pair.server.get(), listener);
  f.turn(3);
  CHECK(listener.calls == 0);
  readiness.want(Interest::kRead);
  f.turn(3);
  CHECK(listener.calls == 0);
  send_all(pair.client.get(), "x");
  f.turn();
  CHECK(listener.calls == 1);
  readiness.want(Interest::kWrite);
  CHECK(readiness.wanted() == Interest::kWrite);
  f.turn();
  CHECK(listener.calls == 2);
}

TEST_CASE("readiness that nobody wants is not told, and does not spin the loop") {
  LoopFixture f;
  const SocketPair pair = unix_pair();
  Listener listener;
  Readiness readiness(f.loop, pair.server.get(), listener);
  readiness.want(Interest::kRead);
  readiness.want(Interest::kNone);
  send_all(pair.client.get(), "x");
  TurnCounter counter(f.loop);
  f.run_for(milliseconds(100));
  CHECK(listener.calls == 0);
  CHECK(counter.turns < 60);
  readiness.want(Interest::kRead);
  f.turn();
  CHECK(listener.calls == 1);
}

TEST_CASE("a hang-up that nobody wants does not spin the loop either") {
  LoopFixture f;
  SocketPair pair = tcp_pair();
  Listener listener;
  Readiness readiness(f.loop, pair.server.get(), listener);
  readiness.want(Interest::kRead);
  readiness.want(Interest::kNone);
  reset_connection(pair.client);
  TurnCounter counter(f.loop);
  f.run_for(milliseconds(100));
  CHECK(listener.calls == 0);
  CHECK(counter.turns < 60);
}

TEST_CASE("a failed descriptor is told of again as long as its owner waits") {
  LoopFixture f;
  SocketPair pair = tcp_pair();
  Listener listener;
  Readiness readiness(f.loop, pair.server.get(), listener);
  readiness.want(Interest::kRead);
  reset_connection(pair.client);
  CHECK(f.run_until([&] { return listener.calls >= 2; }, seconds(5)));
}

TEST_CASE("an owner may give its readiness up inside the callback") {
  LoopFixture f;
  const SocketPair pair = unix_pair();
  Listener listener;
  auto readiness = std::make_unique<Readiness>(f.loop, pair.server.get(), listener);
  listener.what = [&] { readiness.reset(); };
  readiness->want(Interest::kWrite);
  f.loop.run();
  CHECK(listener.calls == 1);
}

TEST_CASE("readiness that keeps nothing alive lets the loop end") {
  LoopFixture f;
  const SocketPair pair = unix_pair();
  Listener listener;
  Readiness readiness(f.loop, pair.server.get(), listener);
  readiness.want(Interest::kRead);
  readiness.do_not_keep_alive();
  f.loop.run();
  CHECK(listener.calls == 0);
}

TEST_CASE("a socket moves bytes both ways, would block, and knows the end") {
  LoopFixture f;
  SocketPair pair = tcp_pair();
  Listener listener;
  Socket socket(f.loop, std::move(pair.server), listener);
  CHECK(state_of_receive(socket) == Io::State::kWouldBlock);
  send_all(pair.client.get(), "question");
  listener.what = [&] { socket.want(Interest::kNone); };
  socket.want(Interest::kRead);
  REQUIRE(f.run_until([&] { return listener.calls > 0; }));
  CHECK(receive_from(socket, 3) == "que");
  CHECK(receive_from(socket) == "stion");
  const auto sent = socket.send(bytes_of("answer"));
  REQUIRE(sent.ok());
  CHECK(sent->bytes == 6);
  CHECK(receive_all(pair.client.get(), 6) == "answer");
  ::shutdown(pair.client.get(), SHUT_WR);
  socket.want(Interest::kRead);
  listener.calls = 0;
  REQUIRE(f.run_until([&] { return listener.calls > 0; }));
  CHECK(state_of_receive(socket) == Io::State::kEnd);
}

TEST_CASE("a full socket would block, and is writable again once the peer has read") {
  LoopFixture f;
  SocketPair pair = unix_pair();  // TCP's buffers move and grow by themselves
  Listener listener;
  Socket socket(f.loop, std::move(pair.server), listener);
  const std::string block(65536, 'x');
  std::size_t sent = 0;
  Result<Io> io = socket.send(bytes_of(block));
  for (; io.ok() && io->state == Io::State::kMoved; io = socket.send(bytes_of(block))) sent += io->bytes;
  REQUIRE(io.ok());
  CHECK(io->state == Io::State::kWouldBlock);
  listener.what = [&] { socket.want(Interest::kNone); };
  socket.want(Interest::kWrite);
  f.run_for(milliseconds(30));
  CHECK(listener.calls == 0);
  CHECK(receive_all(pair.client.get(), sent).size() == sent);
  CHECK(f.run_until([&] { return listener.calls == 1; }));
}

TEST_CASE("bytes that say more follows wait for the rest") {
  LoopFixture f;
  SocketPair pair = tcp_pair();
  Listener listener;
  Socket socket(f.loop, std::move(pair.server), listener);
  REQUIRE(socket.send(bytes_of("head "), true).ok());
  REQUIRE(socket.send(bytes_of("body")).ok());
  std::string both(9, '\0');
  CHECK(::recv(pair.client.get(), both.data(), both.size(), 0) == 9);
  CHECK(both == "head body");
}

TEST_CASE("a socket that shut its sending down still receives") {
  LoopFixture f;
  SocketPair pair = tcp_pair();
  Listener listener;
  Socket socket(f.loop, std::move(pair.server), listener);
  socket.shut_down_sending();
  CHECK(receive_all(pair.client.get()).empty());
  send_all(pair.client.get(), "late");
  listener.what = [&] { socket.want(Interest::kNone); };
  socket.want(Interest::kRead);
  REQUIRE(f.run_until([&] { return listener.calls > 0; }));
  CHECK(receive_from(socket) == "late");
}

TEST_CASE("a peer that resets is gone, for receiving and for sending") {
  for (const bool receiving : {true, false}) {
    LoopFixture f;
    SocketPair pair = tcp_pair();
    Listener listener;
    Socket socket(f.loop, std::move(pair.server), listener);
    listener.what = [&] { socket.want(Interest::kNone); };
    socket.want(Interest::kRead);
    reset_connection(pair.client);
    REQUIRE(f.run_until([&] { return listener.calls > 0; }));
    std::byte byte{};
    const auto io = receiving ? socket.receive({&byte, 1}) : socket.send({&byte, 1});
    REQUIRE_FALSE(io.ok());
    CHECK(io.error().code == ErrorCode::kPeerGone);
  }
}

TEST_CASE("sending to a peer that closed raises no SIGPIPE") {
  // A handler, not the default: this test must be able to say what happened.
  static volatile std::sig_atomic_t raised = 0;
  const auto before = std::signal(SIGPIPE, [](int) { raised = 1; });
  LoopFixture f;
  SocketPair pair = unix_pair();
  Listener listener;
  Socket socket(f.loop, std::move(pair.server), listener);
  pair.client.reset();
  const auto io = socket.send(bytes_of("x"));
  REQUIRE_FALSE(io.ok());
  CHECK(io.error().code == ErrorCode::kPeerGone);
  CHECK(raised == 0);
  std::signal(SIGPIPE, before);
}

/// Keeps what it is given.
struct Lobby final : AcceptListener {
  void accepted(UniqueFd connection) override { guests.push_back(std::move(connection)); }
  bool has_room() const override { return guests.size() < seats; }
  bool lets_in() override {
    ++asked;
    return gate_open;
  }
  void nobody_waits() override { ++found_nobody; }
  std::vector<UniqueFd> guests;
  std::size_t seats = 100;
  bool gate_open = true;
  int asked = 0;
  int found_nobody = 0;
};

struct AcceptorFixture : LoopFixture {
  LoopbackListener listener;
  Lobby lobby;
  std::vector<UniqueFd> clients;

  void connect(int count) {
    for (int i = 0; i < count; ++i) clients.push_back(listener.connect());
  }
};

TEST_CASE("an acceptor takes one connection a wake-up, non-blocking and closed on exec") {
  AcceptorFixture f;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  f.connect(3);
  f.turn();
  CHECK(f.lobby.guests.empty());
  acceptor.start();
  for (std::size_t expected = 1; expected <= 3; ++expected) {
    f.turn();
    CHECK(f.lobby.guests.size() == expected);
  }
  const int guest = f.lobby.guests.front().get();
  CHECK((::fcntl(guest, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(guest, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a stopped acceptor leaves what waits to its siblings") {
  AcceptorFixture f;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  acceptor.start();
  acceptor.stop();
  f.connect(2);
  TurnCounter counter(f.loop);
  f.run_for(milliseconds(60));
  CHECK(f.lobby.guests.empty());
  CHECK(counter.turns < 60);
  acceptor.resume();
  f.turn(3);
  CHECK(f.lobby.guests.empty());
  const UniqueFd sibling(::accept4(f.listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(sibling.valid());
}

TEST_CASE("an acceptor without room pauses until it is resumed") {
  AcceptorFixture f;
  f.lobby.seats = 2;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  acceptor.start();
  f.connect(4);
  TurnCounter counter(f.loop);
  f.run_for(milliseconds(60));
  CHECK(f.lobby.guests.size() == 2);
  CHECK(counter.turns < 60);
  acceptor.resume();
  f.run_for(milliseconds(30));
  CHECK(f.lobby.guests.size() == 2);
  f.lobby.guests.clear();
  acceptor.resume();
  CHECK(f.run_until([&] { return f.lobby.guests.size() == 2; }));
}

TEST_CASE("the last holder takes all that waits, and whoever comes then is not let in") {
  AcceptorFixture f;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  f.connect(5);
  acceptor.accept_last();
  CHECK(f.lobby.guests.size() == 5);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(f.listener.fd(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  UniqueFd late(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  CHECK(::connect(late.get(), reinterpret_cast<const sockaddr*>(&address), size) == -1);
  pollfd connecting{late.get(), POLLOUT, 0};
  CHECK(::poll(&connecting, 1, 100) == 0);
}

TEST_CASE("a connection that is left to a sibling is asked about again, not spun on") {
  AcceptorFixture f;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  f.lobby.gate_open = false;
  acceptor.start();
  f.connect(1);
  CHECK(f.run_until([&] { return f.lobby.asked >= 5; }));
  CHECK(f.lobby.guests.empty());
  const TimePoint began = Clock::now();
  const int asked = f.lobby.asked;
  CHECK(f.run_until([&] { return Clock::now() - began > milliseconds(100); }));
  CHECK(f.lobby.asked - asked <= 51);  // every two milliseconds
  f.lobby.gate_open = true;
  CHECK(f.run_until([&] { return f.lobby.guests.size() == 1; }));
}

TEST_CASE("a connection that a sibling took is forgotten, and the next one is noticed") {
  AcceptorFixture f;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  f.lobby.gate_open = false;
  acceptor.start();
  f.connect(1);
  CHECK(f.run_until([&] { return f.lobby.asked > 0; }));
  const UniqueFd sibling(::accept(f.listener.fd(), nullptr, nullptr));
  CHECK(f.run_until([&] { return f.lobby.found_nobody == 1; }));
  f.lobby.gate_open = true;
  f.connect(1);
  CHECK(f.run_until([&] { return f.lobby.guests.size() == 1; }));
}

TEST_CASE("connections that waited are taken as long as the gate is open, then that none waits is told") {
  AcceptorFixture f;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  f.lobby.gate_open = false;
  acceptor.start();
  f.connect(3);
  CHECK(f.run_until([&] { return f.lobby.asked > 0; }));
  CHECK(f.lobby.found_nobody == 0);
  f.lobby.gate_open = true;
  CHECK(f.run_until([&] { return f.lobby.guests.size() == 3; }));
  CHECK(f.lobby.found_nobody == 1);
}

TEST_CASE("an acceptor out of descriptors does not spin, and goes on when it is resumed") {
  if (descriptors_run_out_late()) return;
  AcceptorFixture f;
  Acceptor acceptor(f.loop, f.listener.fd(), f.lobby);
  f.connect(1);
  f.turn();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const UniqueFd next_free(::dup(f.listener.fd()));
  const rlimit none_left{static_cast<rlim_t>(next_free.get()), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none_left) == 0);
  acceptor.start();
  TurnCounter counter(f.loop);
  f.run_for(milliseconds(60));
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(f.lobby.guests.empty());
  CHECK(counter.turns < 60);
  acceptor.resume();
  CHECK(f.run_until([&] { return f.lobby.guests.size() == 1; }));
}

}  // namespace
}  // namespace forklift
