#include "worker/dump.h"

#include <execinfo.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

namespace forklift {
namespace {

constexpr int kFramesMax = 64;
constexpr int kConnectionsShown = 100;

/// A handler gets no argument of ours, so this is the one thing that must be found from nowhere.
std::atomic<const ActivityBoard*> dumped_board{nullptr};
static_assert(std::atomic<const ActivityBoard*>::is_always_lock_free);

/// One line of text, made without memory of its own: everything here is async-signal-safe
/// (signal-safety(7)).
class Line {
 public:
  Line& add(std::string_view text) {
    const std::size_t size = std::min(text.size(), sizeof text_ - used_);
    std::memcpy(text_ + used_, text.data(), size);
    used_ += size;
    return *this;
  }

  Line& add(std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return add({digits, static_cast<std::size_t>(end - digits)});
  }

  void write() {
    add("\n");
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text_, used_);
  }

 private:
  char text_[256];
  std::size_t used_ = 0;
};

void write_connection(const char* phase, const Activity& activity) {
  const char* const waits_for = activity.waits_for.load();
  const char* const strategy = activity.strategy.load();
  Line line;
  line.add("  in ").add(phase);
  if (strategy != nullptr) line.add(" by ").add({strategy, activity.strategy_size.load()});
  line.add(", received ").add(activity.received.load()).add(", sent ").add(activity.sent.load());
  if (waits_for == nullptr) {
    line.add(", RUNNING").write();
  } else {
    line.add(", waits for ").add(waits_for).write();
  }
}

void write_connections(const ActivityBoard& board) {
  int seen = 0;
  for (const Activity& activity : board.lines()) {
    const char* const phase = activity.phase.load();
    if (phase != nullptr && ++seen <= kConnectionsShown) write_connection(phase, activity);
  }
  Line().add("  connections: ").add(static_cast<std::uint64_t>(seen)).write();
}

void dump(int signal) {
  Line().add("worker ").add(static_cast<std::uint64_t>(::getpid())).add(" aborted; it stood at").write();
  void* frames[kFramesMax];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, kFramesMax), STDERR_FILENO);
  Line().add("what its connections were doing:").write();
  if (const ActivityBoard* const board = dumped_board.load()) write_connections(*board);
  ::raise(signal);  // SA_RESETHAND: for good, once this returns
}

void set_action(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigaction(SIGABRT, &action, nullptr);
}

}  // namespace

AbortDump::AbortDump(const ActivityBoard& activities) {
  void* frame;
  ::backtrace(&frame, 1);  // the first call loads a library, which a handler must not
  dumped_board.store(&activities);
  set_action(dump, static_cast<int>(SA_RESETHAND));
}

AbortDump::~AbortDump() {
  set_action(SIG_DFL, 0);
  dumped_board.store(nullptr);
}

}  // namespace forklift
