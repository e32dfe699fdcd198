#include "worker/http/server.h"

#include <utility>

#include "worker/http/access_log.h"

namespace forklift {

Server::Door::Door(Server& server, int listening_fd, const FleetView* fleet)
    : server_(server),
      gate_(server.services_.scoreboard, fleet),
      acceptor_(server.services_.loop, listening_fd, *this) {}

void Server::Door::accepted(UniqueFd connection) { server_.connections_.add(std::move(connection)); }

bool Server::Door::has_room() const {
  return server_.connections_.size() < server_.services_.config.limits.connections_max;
}

bool Server::Door::lets_in() { return gate_.lets_in(server_.services_.loop.now()); }

void Server::Door::nobody_waits() { gate_.nobody_waits(); }

Server::Server(const ConnectionServices& services, std::span<const int> listening_fds, const FleetView* fleet)
    : services_(services), connections_(services), heartbeat_(services.loop, *this, false) {
  for (const int fd : listening_fds) doors_.push_back(std::make_unique<Door>(*this, fd, fleet));
  services_.loop.observe_turns(this);
  // With nothing to do a worker still says that its loop turns, and looks whether descriptors are free again.
  heartbeat_.start(beat_interval(services.config.timeout));
}

Server::~Server() { services_.loop.observe_turns(nullptr); }

void Server::accept() {
  connections_.cancel_drain();
  set_state(services_.scoreboard, WorkerState::kServing);
  for (const auto& door : doors_) door->acceptor().start();
}

void Server::drain(DrainListener& listener, bool last) {
  set_state(services_.scoreboard, WorkerState::kDraining);
  for (const auto& door : doors_) {
    door->acceptor().stop();
    if (last) door->acceptor().accept_last();
  }
  connections_.drain(listener, last);
}

void Server::stop() {
  for (const auto& door : doors_) door->acceptor().stop();
  connections_.abandon_all();
}

void Server::close_acceptors() { doors_.clear(); }

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
  for (const auto& door : doors_) door->acceptor().resume();
}

}  // namespace forklift
