#pragma once

#include <memory>
#include <span>
#include <vector>

#include "worker/http/accept_gate.h"
#include "worker/http/connection_table.h"
#include "worker/loop/acceptor.h"

namespace forklift {

/// The HTTP server of one worker process: accepts from the listening sockets, owns the connections, beats the
/// scoreboard. Made in the worker's main; does nothing until accept().
class Server final : private TurnObserver, private TimerListener {
 public:
  /// `listening_fds` stay the caller's and must outlive the server. With a `fleet` it takes what waits only
  /// when that is its turn (AcceptGate), without one whatever it can get.
  Server(const ConnectionServices& services, std::span<const int> listening_fds,
         const FleetView* fleet = nullptr);
  ~Server();

  /// Starts accepting; also takes a drain back.
  void accept();

  /// Stops accepting and finishes what is there. The `last` to hold the sockets (it has no siblings, or they
  /// stop too) answers what is queued as well, and lets nobody new in.
  void drain(DrainListener& listener, bool last);

  /// Stops accepting and ends every connection now.
  void stop();

  /// What its drain, or stop(), has cut so far.
  CutTransfers cut() const { return connections_.cut(); }

  /// No listening socket is used any more, and none keeps the loop alive.
  void close_acceptors();

 private:
  /// One listening socket and who may come in through it.
  class Door final : private AcceptListener {
   public:
    Door(Server& server, int listening_fd, const FleetView* fleet);
    Acceptor& acceptor() { return acceptor_; }

   private:
    void accepted(UniqueFd connection) override;
    bool has_room() const override;
    bool lets_in() override;
    void nobody_waits() override;

    Server& server_;
    AcceptGate gate_;
    Acceptor acceptor_;
  };

  void turn_ended() override;
  void timer_due() override;
  void resume_accepting();

  const ConnectionServices& services_;
  ConnectionTable connections_;
  std::vector<std::unique_ptr<Door>> doors_;
  Timer heartbeat_;
};

}  // namespace forklift
