#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/strategy_fixture.h"
#include "worker/loop/socket.h"

namespace forklift::testing {

/// The pump of a connection, alone: steps until one has to wait, and only then waits, for what it said.
class Pump : protected ReadinessListener, protected Resumer, protected Deferred {
 public:
  explicit Pump(EventLoop& loop) : loop_(loop) {}
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  void start() { loop_.defer(*this); }

  /// Takes no step any more once it has taken that many.
  void stop_after(int steps) { steps_max_ = steps; }

  bool over() const { return over_; }
  bool stopped() const { return steps_ >= steps_max_; }
  int steps() const { return steps_; }
  Flow waits_for() const { return waits_for_; }
  const std::optional<Error>& error() const { return error_; }

  /// Ended, and well.
  bool done() const { return over_ && !error_; }
  bool failed_with(ErrorCode code) const { return error_ && error_->code == code; }

 protected:
  ~Pump() = default;

  void attach(UniqueFd fd) {
    ReadinessListener& listener = *this;
    socket_.emplace(loop_, std::move(fd), listener);
  }

  /// kDone: over.
  virtual Result<Flow> step() = 0;

  EventLoop& loop_;
  std::optional<Socket> socket_;
  bool asks_ = false;  // the last step said kWaitDisk

 private:
  void ready() override { run(); }
  void resume() override { loop_.defer(*this); }
  void run_deferred() override { run(); }

  void run() {
    waits_for_ = Flow::kMore;
    while (!over_ && !stopped() && waits_for_ == Flow::kMore) {
      ++steps_;
      const Result<Flow> flow = step();
      if (!flow) error_ = flow.error();
      over_ = !flow || *flow == Flow::kDone;
      waits_for_ = flow ? *flow : Flow::kDone;
      asks_ = waits_for_ == Flow::kWaitDisk;
    }
    if (socket_) socket_->want(interest());
  }

  Interest interest() const {
    if (waits_for_ == Flow::kWaitReadable) return Interest::kRead;
    return waits_for_ == Flow::kWaitWritable ? Interest::kWrite : Interest::kNone;
  }

  int steps_ = 0;
  int steps_max_ = 1 << 30;
  bool over_ = false;
  Flow waits_for_ = Flow::kMore;
  std::optional<Error> error_;
};

/// One body through one sink, fed by write() or from a socket.
class SinkPump : public Pump {
 public:
  /// Will write `body` in pieces of the given sizes, over and over.
  void write(std::string_view body, std::vector<std::size_t> pieces) {
    body_ = body;
    pieces_ = std::move(pieces);
    start();
  }

  /// Will receive `size` bytes, at most `limit` a step.
  void receive(UniqueFd fd, std::uint64_t size, std::uint64_t limit = UINT64_MAX) {
    attach(std::move(fd));
    to_receive_ = size;
    limit_ = limit;
    start();
  }

  bool finishing() const { return finishing_; }
  const Stored& stored() const { return sink_->stored(); }
  bool broke_the_contract() const { return broke_the_contract_; }

 protected:
  explicit SinkPump(StrategyFixture& fixture) : Pump(fixture.loop()), slabs_(fixture.slabs) {}
  ~SinkPump() { slabs_.forget(*this); }

  std::unique_ptr<BodySink> sink_;  // the derived class makes it

 private:
  Result<Flow> step() override {
    if (written_ < body_.size()) return step_write();
    if (to_receive_ > 0) return step_receive();
    finishing_ = true;
    const Result<Flow> flow = sink_->finish();
    allow(flow, {Flow::kDone, Flow::kWaitDisk});
    return flow;
  }

  Result<Flow> step_write() {
    if (asks_ && asked_++ % 2 == 0) return sink_->write(Chunk());
    SlabRef slab = slabs_.acquire(*this);
    if (!slab) return Flow::kWaitDisk;
    const std::size_t size =
        std::min({pieces_[next_piece_++ % pieces_.size()], body_.size() - written_, kSlabBytes});
    std::memcpy(slab.data(), body_.data() + written_, size);
    written_ += size;
    const Result<Flow> flow = sink_->write(Chunk(std::move(slab), 0, size));
    allow(flow, {Flow::kMore, Flow::kWaitDisk});
    return flow && written_ == body_.size() ? Result<Flow>(Flow::kMore) : flow;
  }

  Result<Flow> step_receive() {
    const std::uint64_t limit = std::min(limit_, to_receive_);
    const Result<Step> step = sink_->receive(*socket_, limit);
    if (!step) return step.error();
    allow(step->flow, {Flow::kMore, Flow::kWaitDisk, Flow::kWaitReadable});
    if (step->bytes > limit) broke_the_contract_ = true;
    to_receive_ -= step->bytes;
    return to_receive_ == 0 ? Flow::kMore : step->flow;
  }

  void allow(const Result<Flow>& flow, std::initializer_list<Flow> allowed) {
    if (flow && std::find(allowed.begin(), allowed.end(), *flow) == allowed.end()) broke_the_contract_ = true;
  }

  SlabPool& slabs_;
  std::string_view body_;
  std::vector<std::size_t> pieces_;
  std::size_t next_piece_ = 0;
  std::size_t written_ = 0;
  std::uint64_t to_receive_ = 0;
  std::uint64_t limit_ = 0;
  int asked_ = 0;
  bool finishing_ = false;
  bool broke_the_contract_ = false;
};

/// One upload through one strategy. `size` is what the sink is told of the body's.
class Upload final : public SinkPump {
 public:
  Upload(StrategyFixture& fixture, const SinkStrategy& strategy, UploadTarget target,
         std::optional<std::uint64_t> size = std::nullopt)
      : SinkPump(fixture) {
    sink_ = strategy.make(fixture.uploads, *this, std::move(target), size);
  }
};

/// One download through one source into a socket.
class Download final : public Pump {
 public:
  Download(StrategyFixture& fixture, const SourceStrategy& strategy, std::string name, UniqueFd fd,
           std::uint64_t limit = kBytesPerTurn)
      : Pump(fixture.loop()),
        slabs_(fixture.slabs),
        source_(strategy.make(fixture.downloads, *this, DownloadTarget{std::move(name)})),
        limit_(limit) {
    attach(std::move(fd));
    start();
  }
  ~Download() { slabs_.forget(*this); }

  const OpenedFile& file() const { return source_->file(); }
  std::uint64_t sent() const { return sent_; }
  bool broke_the_contract() const { return broke_the_contract_; }

 private:
  Result<Flow> step() override {
    if (!opened_) return step_open();
    const std::uint64_t limit = std::min(limit_, source_->file().size - sent_);
    const Result<Step> step = source_->send(*socket_, limit);
    if (!step) return step.error();
    if (step->bytes > limit || step->flow == Flow::kWaitReadable) broke_the_contract_ = true;
    sent_ += step->bytes;
    if ((step->flow == Flow::kDone) != (sent_ == source_->file().size)) broke_the_contract_ = true;
    if (step->flow == Flow::kDone) finish();
    return step->flow;
  }

  Result<Flow> step_open() {
    const Result<Flow> flow = source_->open();
    if (!flow || *flow != Flow::kDone) return flow;
    opened_ = true;
    if (source_->file().size > 0) return Flow::kMore;
    finish();
    return Flow::kDone;
  }

  void finish() { socket_->shut_down_sending(); }

  SlabPool& slabs_;
  std::unique_ptr<BodySource> source_;
  std::uint64_t limit_;
  std::uint64_t sent_ = 0;
  bool opened_ = false;
  bool broke_the_contract_ = false;
};

}  // namespace forklift::testing
