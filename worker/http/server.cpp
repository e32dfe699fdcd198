#include "worker/http/server.h"

#include <utility>

#include "worker/http/access_log.h"

namespace forklift {

Server::Server(const ConnectionServices& services, std::span<const int> listening_fds)
    : services_(services), connections_(services), heartbeat_(services.loop, *this, false) {
  AcceptListener& listener = *this;
  for (const int fd : listening_fds) {
    acceptors_.push_back(std::make_unique<Acceptor>(services.loop, fd, listener));
  }
  services.loop.observe_turns(this);
  // With nothing to do a worker still says that its loop turns, and looks whether descriptors are free again.
  heartbeat_.start(beat_interval(services.config.timeout));
}

Server::~Server() { services_.loop.observe_turns(nullptr); }

void Server::accept() {
  connections_.cancel_drain();
  set_state(services_.scoreboard, WorkerState::kServing);
  for (const auto& acceptor : acceptors_) acceptor->start();
}

void Server::drain(DrainListener& listener, bool take_queued) {
  set_state(services_.scoreboard, WorkerState::kDraining);
  for (const auto& acceptor : acceptors_) {
    acceptor->stop();
    if (take_queued) acceptor->accept_queued();
  }
  connections_.drain(listener);
}

void Server::stop() {
  for (const auto& acceptor : acceptors_) acceptor->stop();
  connections_.abandon_all();
}

void Server::close_acceptors() { acceptors_.clear(); }

void Server::accepted(UniqueFd connection) { connections_.add(std::move(connection)); }

bool Server::has_room() const { return connections_.size() < services_.config.limits.connections_max; }

void Server::turn_ended() {
  if (connections_.destroy_retired()) resume_accepting();
  if (services_.access_log != nullptr) services_.access_log->flush();
  Scoreboard& scoreboard = services_.scoreboard;
  add(scoreboard.beats, 1);
  scoreboard.slab_bytes.store(services_.uploads.slabs.bytes_in_use(), std::memory_order_relaxed);
}

void Server::timer_due() {
  services_.uploads.slabs.trim();
  resume_accepting();
}

void Server::resume_accepting() {
  for (const auto& acceptor : acceptors_) acceptor->resume();
}

}  // namespace forklift
