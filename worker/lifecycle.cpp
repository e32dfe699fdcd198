#include "worker/lifecycle.h"

#include <csignal>

#include "common/errno_error.h"
#include "common/log.h"
#include "worker/http/access_log.h"

namespace forklift {

Lifecycle::Lifecycle(const ConnectionServices& services, Server& server, Ground& ground)
    : services_(services), server_(server), ground_(ground), drain_limit_(services.loop, *this, false) {
  if (ground_.inherited()) {
    ReadinessListener& listener = *this;
    channel_ = std::make_unique<Readiness>(services.loop, kChannelFd, listener);
  }
  watch(SIGTERM);
  if (ground_.inherited()) return;
  watch(SIGINT);
  watch(SIGQUIT);
  watch(SIGUSR1);
}

Lifecycle::~Lifecycle() = default;

void Lifecycle::watch(int signal) {
  SignalListener& listener = *this;
  signals_.push_back(std::make_unique<SignalWatch>(services_.loop, signal, listener));
}

void Lifecycle::start() {
  if (!ground_.inherited()) {
    server_.accept();
    ground_.announce();
    return;
  }
  set_state(services_.scoreboard, WorkerState::kReady);
  channel_->want(Interest::kRead);
  if (const auto sent = send_message(kChannelFd, {MessageKind::kReady, kAbi}); !sent) {
    log::error("the master does not listen; leaving");
    stop();
  }
}

void Lifecycle::ready() {
  for (;;) {
    const auto message = receive_message(kChannelFd);
    if (!message) {
      channel_->want(Interest::kNone);
      log::warning("the master is gone; finishing what is here");
      channel_.reset();
      drain(services_.config.graceful_timeout, true);
      return;
    }
    if (!message->has_value()) return;
    obey(**message);
    if (channel_ == nullptr) return;
  }
}

void Lifecycle::obey(Message message) {
  switch (message.kind) {
    case MessageKind::kAccept:
      drain_limit_.stop();
      draining_ = false;
      server_.accept();
      return;
    case MessageKind::kDrain:
      // With a limit the whole fleet stops, and nobody else answers what is queued.
      drain(milliseconds(message.value), message.value != 0);
      return;
    case MessageKind::kStop:
      stop();
      return;
    case MessageKind::kReopen:
      reopen_logs();
      return;
    default:
      log::error("the master sent a message this worker does not know");
  }
}

void Lifecycle::signalled(int signal) {
  if (signal == SIGUSR1) {
    reopen_logs();
  } else if (signal == SIGTERM && !draining_) {
    // Not the master's doing: it is to start another one at once.
    if (channel_ != nullptr) (void)send_message(kChannelFd, {MessageKind::kLeaving});
    drain(services_.config.graceful_timeout, !ground_.inherited());
  } else {
    stop();
  }
}

void Lifecycle::drain(milliseconds allowed, bool last_holder) {
  if (over_) return;
  drain_limit_.stop();
  if (allowed.count() > 0) drain_limit_.start(allowed);
  server_.drain(*this, last_holder);
  draining_ = true;
  // Nobody will take what is queued after this, and whoever comes next may bind at once.
  if (last_holder) {
    server_.close_acceptors();
    ground_.let_go_of_listeners();
  }
}

void Lifecycle::drained() { end(); }

void Lifecycle::timer_due() { stop(); }

void Lifecycle::stop() {
  server_.stop();
  end();
}

void Lifecycle::reopen_logs() {
  if (services_.access_log == nullptr) return;
  if (const auto reopened = services_.access_log->reopen(); !reopened) {
    log::error("the access log could not be opened anew, the old file stays: ",
               sentence_of(reopened.error()));
  } else {
    log::info("the access log is open anew");
  }
}

void Lifecycle::log_cut() const {
  const CutTransfers cut = server_.cut();
  const std::size_t all = cut.slow + cut.running;
  if (all == 0) return;
  log::warning(draining_ ? "the drain" : "the stop", " cut ", all,
               all == 1 ? " transfer: " : " transfers: ", cut.slow, " too slow for --drain-min-rate, ",
               cut.running, " still running when its time was over");
}

void Lifecycle::end() {
  if (over_) return;
  over_ = true;
  log_cut();
  drain_limit_.stop();
  if (channel_ != nullptr) {
    (void)send_message(kChannelFd, {MessageKind::kDrained});
    channel_.reset();
  }
  signals_.clear();
  // One SIGTERM more finds nothing left to end, and must not look like a crash.
  if (ground_.inherited()) std::signal(SIGTERM, SIG_IGN);
  server_.close_acceptors();
}

}  // namespace forklift
