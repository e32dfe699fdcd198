// Uploads while a thread of the disk stands in a call, and what the loop's thread never calls.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/fault_file_ops.h"
#include "support/transfer.h"

namespace forklift {
namespace {

using namespace testing;

const UploadTarget kTarget{"d/e", PublishMode::kReplace};

/// What is sent, in pieces of 60000 bytes. A small body of known size is gathered, and goes to the disk in
/// one step with its publication.
struct Sent {
  std::string body;
  std::optional<std::uint64_t> size;
};

const std::vector<Sent>& bodies() {
  static const std::vector<Sent> instance = {{body_of(4 * kSlabBytes + 7), std::nullopt},
                                             {body_of(100000), 100000}};
  return instance;
}

struct WatchedFixture : ContractFixture {
  explicit WatchedFixture(std::size_t spool_bytes_max = 64 * kSlabBytes)
      : ContractFixture(64 * kSlabBytes, Durability::kNone, spool_bytes_max) {
    faults::reset();
  }
  ~WatchedFixture() { faults::reset(); }
};

/// Holds the `nth` file call of another thread than this one until it is let go.
class HeldCall {
 public:
  explicit HeldCall(int nth) : left_(nth) {
    faults::watch([this](std::string_view) { pass(); });
  }
  HeldCall(const HeldCall&) = delete;
  HeldCall& operator=(const HeldCall&) = delete;
  ~HeldCall() { let_go(); }

  bool is_there() const {
    const std::lock_guard lock(mutex_);
    return held_;
  }

  void let_go() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    changed_.notify_all();
  }

 private:
  void pass() {
    if (std::this_thread::get_id() == loop_thread_) return;
    std::unique_lock lock(mutex_);
    if (--left_ != 0) return;
    held_ = true;
    changed_.wait(lock, [this] { return gone_; });
  }

  const std::thread::id loop_thread_ = std::this_thread::get_id();
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int left_;
  bool held_ = false;
  bool gone_ = false;
};

/// Destroys an upload while another thread is about to make the `nth` file call for it. False: there was no
/// such call.
bool destroy_at_call(const SinkStrategy& strategy, const Sent& sent, int nth) {
  WatchedFixture f;
  HeldCall call(nth);
  bool held = false;
  {
    Upload upload(f, strategy, kTarget, sent.size);
    upload.write(sent.body, {60000});
    CHECK(f.turns.run_until([&] { return call.is_there() || upload.over(); }));
    held = call.is_there();
  }
  call.let_go();
  f.check_clean();
  if (fs::exists(f.root / "d/e")) CHECK((content_of(f.root / "d/e") == sent.body));
  return held;
}

TEST_CASE("an upload that is gone while the disk works for it is published whole or not at all") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const Sent& sent : bodies()) {
      int nth = 1;
      do {
        INFO(strategy.name << " " << sent.body.size() << " bytes, at call " << nth);
        REQUIRE(nth < 1000);
      } while (destroy_at_call(strategy, sent, nth++));
    }
  }
}

/// An upload of many slabs from a client that sends as fast as it can, while the `nth` file call lasts.
void check_slabs_at_call(const SinkStrategy& strategy, bool from_socket, int nth) {
  INFO(strategy.name << (from_socket ? " from a socket" : "") << ", at call " << nth);
  const std::string many = body_of(40 * kSlabBytes);
  WatchedFixture f(kSlabBytes);
  HeldCall call(nth);
  SocketPair pair = tcp_pair();
  Upload upload(f, strategy, kTarget);
  from_socket ? upload.receive(std::move(pair.server), many.size()) : upload.write(many, {kSlabBytes});
  ClientThread client([&] {
    if (from_socket) send_all(pair.client.get(), many);
  });
  CHECK(f.turns.run_until([&] { return call.is_there(); }));
  f.turns.run_for(milliseconds(50));
  CHECK(upload.waits_for() == Flow::kWaitDisk);
  CHECK(f.slabs.bytes_in_use() <= 2 * kSlabBytes);
  const int steps = upload.steps();
  f.turns.run_for(milliseconds(20));
  CHECK(upload.steps() == steps);  // it does not spin
  call.let_go();
  CHECK(f.turns.run_until([&] { return upload.over(); }));
  client.join();
  CHECK(upload.done());
  if (strategy.kept) CHECK((content_of(f.root / "d/e") == many));
}

TEST_CASE("while the disk stands still an upload takes no more slabs, however much its client sends") {
  for (const SinkStrategy& strategy : sinks_here()) {
    if (strategy.blocks_loop) continue;
    for (const bool from_socket : {false, true}) {
      for (const int nth : {1, 2}) check_slabs_at_call(strategy, from_socket, nth);
    }
  }
}

/// The file calls that this thread makes while an upload takes so many steps and is destroyed; what the ring
/// does is told from them. `over`: it ended before.
std::string calls_on_the_loop(const SinkStrategy& strategy, const Sent& sent, int steps, bool& over) {
  WatchedFixture f;
  std::string calls;
  const auto loop_thread = std::this_thread::get_id();
  faults::watch([&](std::string_view operation) {
    const bool here = std::this_thread::get_id() == loop_thread;
    if (here && !operation.starts_with("ring_")) calls += std::string(operation) + ' ';
  });
  {
    Upload upload(f, strategy, kTarget, sent.size);
    upload.stop_after(steps);
    upload.write(sent.body, {60000});
    CHECK(f.turns.run_until([&] { return upload.over() || upload.stopped(); }));
    CHECK(f.turns.run_until([&] { return f.quiet(); }));
    over = upload.over();
  }
  f.check_clean();
  return calls;
}

void check_calls_on_the_loop(const SinkStrategy& strategy, const Sent& sent) {
  bool over = false;
  for (int steps = 0; !over; ++steps) {
    INFO(strategy.name << " " << sent.body.size() << " bytes, after " << steps << " steps");
    REQUIRE(steps < 1000);
    const std::string calls = calls_on_the_loop(strategy, sent, steps, over);
    if (!strategy.blocks_loop) CHECK(calls == "");
    if (strategy.blocks_loop && over) CHECK(calls != "");
  }
}

TEST_CASE("file calls that are to be off the loop's thread are, also of an upload that is dropped") {
  for (const SinkStrategy& strategy : sinks_here()) {
    for (const Sent& sent : bodies()) check_calls_on_the_loop(strategy, sent);
  }
}

}  // namespace
}  // namespace forklift
