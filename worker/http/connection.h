#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/config.h"
#include "common/scoreboard.h"
#include "worker/download/file_digest.h"
#include "worker/http/activity.h"
#include "worker/http/byteranges.h"
#include "worker/http/file_answers.h"
#include "worker/http/parser.h"
#include "worker/http/reply.h"
#include "worker/http/request_id.h"
#include "worker/http/response.h"
#include "worker/loop/chunk.h"
#include "worker/loop/disk_call.h"
#include "worker/loop/event_loop.h"
#include "worker/loop/socket.h"
#include "worker/upload/remover.h"

namespace forklift {

class AccessLog;
class Connection;

/// What every connection of one worker works with. Owned by the worker's main; outlives every connection.
struct ConnectionServices {
  EventLoop& loop;
  const Config& config;
  const Router& router;
  const UploadServices& uploads;
  const DownloadServices& downloads;
  Scoreboard& scoreboard;
  RequestIds& request_ids;
  DateCache& dates;
  AccessLog* access_log;  // nullptr: none
  const FileAnswers& files;
  ActivityBoard* activities = nullptr;
};

/// Whoever owns connections. Retired ones are destroyed at the end of the loop turn (lifetime rule 3).
class ConnectionOwner {
 public:
  virtual void retire(Connection& connection) = 0;

  /// The worker is on its way out: answers say Connection: close.
  virtual bool draining() const = 0;

  /// A request ended in 5xx: an operator should hear why.
  virtual void failed(const Error& error, std::string_view request_id) = 0;

  /// A body was refused for lack of room beside --reserve-space: an operator should know how much.
  virtual void refused_space(const SpaceAnswer& answer, std::string_view request_id) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// One client's connection: requests one after the other, each through its phases
///
///     head → receive → finish ┐
///     head → remove ──────────┼→ reply → (send → reply …) → head, or linger
///     head → open (→ digest) ─┤
///     head → list ────────────┘
///
/// and before receive and remove, where there are preconditions, judge. Where disk space is reserved, a body
/// is promised its space before it is received, and one of unknown length again and again while it is.
///
/// run() is the pump: it takes steps until one has to wait, and parks only on an event that is sure to come.
/// Who waits for memory waits for others: that ends with their memory, with the stall timeout (503), or when
/// its own client leaves. Waiting for a disk has no end but its own; that for a listing ends too when its
/// client leaves.
/// Owned by the connection table; lives on the loop thread; ends by retiring.
class Connection final : private ReadinessListener, private Resumer, private Deferred {
 public:
  Connection(const ConnectionServices& services, ConnectionOwner& owner, UniqueFd fd);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Waits for the first request.
  void start();

  /// Called by the table a few times a second: ends what has stood still for too long.
  void check_deadlines(TimePoint now);

  /// Called beside it while the worker drains: a transfer that moves is left to finish, one whose client is
  /// too slow over Config::drain_idle_timeout is ended. Says whether it was.
  bool check_drain(TimePoint now);

  /// Has a request to answer, in whole or in part.
  bool transfers() const { return phase_ != Phase::kHead && phase_ != Phase::kLinger; }

  /// Between requests, with nothing of the next one here.
  bool idle() const {
    return phase_ == Phase::kHead && !input_waits() && !parser_.head_started() &&
           memory_since_ == TimePoint();
  }

  /// Since when it has been in its phase; of an idle connection, how long it has been silent.
  Clock::duration idle_for(TimePoint now) const { return now - phase_since_; }

  /// Ends now, whatever it was doing.
  void abandon();

  std::size_t table_index = 0;  // the table's

 private:
  enum class Phase : std::uint8_t {
    kHead,      // reading a request head
    kContinue,  // sending 100 Continue
    kReserve,   // asking whether the disk has room for the body, or for more of it
    kReceive,   // moving the body into the sink
    kFinish,    // the sink publishes
    kJudge,     // looking at what the preconditions of an upload or a removal are about
    kRemove,    // a file is being removed
    kList,      // files are being named
    kOpen,      // the source opens its file
    kDigest,    // that file is being digested
    kReply,     // sending the response head, and the body where it is small
    kSend,      // the source sends the body
    kLinger,    // everything is sent; reading until the client has seen it (RFC 9112, 9.6)
  };

  /// What waits for its preconditions to be judged, and the look at the file they are about.
  struct Judgement {
    template <typename Wanted, typename Work>
    Judgement(Wanted&& what, DiskPool& disk, Resumer& resumer, Work work)
        : wanted(std::move(what)), look(disk, resumer, std::move(work)) {}

    std::variant<Receive, Remove> wanted;
    DiskCall<std::optional<FileVersion>> look;
  };

  /// For lack of room, that waits until what lies on the disk already is gone.
  struct Refusal final : SpaceClaimObserver {
    Refusal(Problem&& why, Resumer& resumer) : problem(std::move(why)), waiting(resumer) {}
    void claim_gone() override { waiting.resume(); }

    Problem problem;
    Resumer& waiting;
  };

  /// One request and its answer.
  struct Exchange {
    std::unique_ptr<BodySink> sink;
    std::unique_ptr<BodySource> source;
    std::unique_ptr<Remover> remover;
    std::unique_ptr<Judgement> judgement;
    std::shared_ptr<SpaceClaim> claim;  // of the body, on the disk; nullptr: none is needed
    std::unique_ptr<DiskCall<SpaceAnswer>> reserving;
    std::shared_ptr<Refusal> refusal;
    std::weak_ptr<SpaceClaim> vacating;
    Chunk decoded;  // of a chunked body, not yet taken by the sink
    std::unique_ptr<DiskCall<std::string>> listing;
    std::unique_ptr<FileDigest> digest;      // of the file to send, being made
    std::unique_ptr<ByterangesBody> ranges;  // of an answer with several
    StoredStyle style = StoredStyle::kArticle;
    std::string prefer;               // of an upload
    std::string_view strategy;        // the one really used
    std::string_view content_type;    // of the file to send
    std::string disposition;          // the same; empty: none
    std::string repr_digest;          // the same
    std::uint64_t body_left = 0;      // of a Content-Length body
    std::uint64_t body_received = 0;  // decoded bytes
    std::uint64_t judged_bytes = 0;   // body_received when the rate was last found good
    milliseconds judged_at{0};        // the same of body_waited_
    bool body_complete = false;
    bool sink_paused = false;  // it said kWaitDisk, or wants to be asked first
    bool keep_alive = false;
    bool head_only = false;
    bool file_follows = false;  // the output that is being sent
    bool head_read = false;
    int http_minor = 1;
    int status = 0;
    std::uint64_t sent = 0;  // body bytes of the answer
    RequestId request_id;
    TimePoint started;
  };

  // ReadinessListener, Resumer, Deferred
  void ready() override { minds_hang_up() ? check_hang_up() : run(); }
  void resume() override { services_.loop.defer(*this); }
  void run_deferred() override { run(); }

  // The pump: connection.cpp
  void run();
  Flow step();
  void park(Flow flow);
  void show(const char* waits_for);
  bool set_input_aside(bool needed);
  bool input_waits() const { return !input_.empty() || !set_aside_.empty(); }
  Flow flush_output(bool more_follows);
  Result<Flow> fill_input();
  Flow fail(const Error& error);
  void moved(std::uint64_t bytes);
  bool too_slow(TimePoint now);

  // Waiting for memory: connection_memory.cpp
  const char* waits_for_memory() const;
  Flow wait_for_memory();
  Flow give_up_waiting();
  bool minds_hang_up() const;
  void check_hang_up();

  // One request: connection_exchange.cpp
  Flow step_head();
  Flow begin_exchange();
  Flow decide(Answer&& answer);
  Flow decide(Receive&& receive);
  void prefer(Receive& receive);
  Flow decide(Send&& send);
  Flow decide(Remove&& remove);
  Flow decide(List&& list);
  Flow decide(Problem&& problem);
  Flow refuse(const Problem& problem);
  Flow reply_stored();
  Flow reply(ResponseHead head, std::string_view body);
  Flow end_exchange();
  void account();
  void log_access();

  // Its body: connection_body.cpp
  std::unique_ptr<BodySink> make_sink(Receive&& receive);
  Flow begin_receiving();
  std::unique_ptr<BodySink> make_plain_sink(Receive&& receive);
  Flow step_continue();
  Flow step_receive();
  Flow receive_counted();
  Flow receive_chunked();
  Flow decode_chunked();
  Flow step_finish();
  void tell_keeper();
  Flow step_remove();
  Flow step_reply();
  Flow step_linger();

  // Its room on the disk: connection_space.cpp
  void claim_space(Receive& receive);
  std::uint64_t space_lacking() const;
  Flow reserve(std::uint64_t least);
  Flow step_reserve();
  Flow refuse_space(const SpaceAnswer& answer);
  Flow vacate(Problem&& problem);
  Flow step_vacate();

  // Its preconditions: connection_judge.cpp
  Flow look_first(Receive&& receive);
  Flow look_first(Remove&& remove);
  template <typename Wanted>
  Flow look_on_pool(Wanted&& wanted, const std::string& name);
  Flow step_judge();
  Flow judge(Receive&& receive, const Result<std::optional<FileVersion>>& there);
  Flow judge(Remove&& remove, const Result<std::optional<FileVersion>>& there);
  Precondition judged_of(const std::optional<FileVersion>& there) const;
  Flow proceed(Receive&& receive, ExpectedState&& expected);
  Flow proceed(Remove&& remove, ExpectedState&& expected);

  // The digest that the answer with a file is to say: connection_digest.cpp
  Flow digest_first();
  Flow step_digest();

  // A file, or a list of them, as the answer: connection_file.cpp
  Flow step_open();
  Flow reply_file();
  std::optional<Flow> reply_as_asked(const ResponseHead& whole, const Validators& current, std::time_t now);
  Flow reply_range(ResponseHead head, const ByteRange& range);
  Flow reply_ranges(ResponseHead head, std::vector<ByteRange>&& ranges, std::string boundary);
  Flow refuse_range(const ResponseHead& whole);
  void append_next_range();
  Flow step_send();
  Flow break_off(const Error& error);
  Flow step_list();

  const ConnectionServices& services_;
  ConnectionOwner& owner_;
  Socket socket_;
  RequestParser parser_;
  Exchange exchange_;
  ActivityLine activity_;
  std::string peer_;  // address without port, for the access log; empty where there is none
  Phase phase_ = Phase::kHead;
  Chunk input_;            // read, not yet taken
  std::string set_aside_;  // the same, without a slab: until fill_input() gets one
  std::string output_;     // to send, from output_sent_ on
  std::size_t output_sent_ = 0;
  Flow waits_for_ = Flow::kMore;
  std::uint64_t moved_this_turn_ = 0;
  std::uint64_t moved_bytes_ = 0;         // since the start
  std::uint64_t drain_judged_bytes_ = 0;  // moved_bytes_ at drain_judged_at_
  TimePoint drain_judged_at_{};
  TimePoint phase_since_;
  TimePoint progress_at_;        // when a byte last moved, or when waiting for the socket began
  TimePoint memory_since_;       // parked for memory since then; none: it is not
  milliseconds body_waited_{0};  // for the client's bytes, without the time the disk took
  bool first_request_ = true;
  bool half_closed_ = false;  // the client sends nothing more; known only if it was looked for
  bool retired_ = false;
};

}  // namespace forklift
