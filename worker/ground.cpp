#include "worker/ground.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "common/errno_error.h"
#include "common/log.h"

namespace forklift {

Result<Ground, std::string> Ground::take(const Config& config) {
  Ground ground;
  Result<void, std::string> taken;
  if (const char* inherited = std::getenv(kInheritVariable); inherited == nullptr) {
    taken = ground.stand_alone(config);
  } else {
    const auto inheritance = parse_inheritance(inherited);
    ::unsetenv(kInheritVariable);
    if (!inheritance) return std::string(kInheritVariable) + " is not what a master sets";
    taken = ground.inherit(*inheritance);
  }
  if (!taken) return taken.error();
  return ground;
}

Result<void, std::string> Ground::inherit(const Inheritance& inheritance) {
  inherited_ = inheritance;
  for (int index = 0; index < inheritance.listener_count; ++index) {
    inherited_listeners_.emplace_back(kFirstListenerFd + index);
    listening_fds_.push_back(kFirstListenerFd + index);
  }
  UniqueFd pool(kScoreboardFd);
  UniqueFd read_only(kFleetFd);
  auto region = ScoreboardRegion::open_inherited(std::move(pool), inheritance.region);
  if (!region) return sentence_of(region.error());
  scoreboard_.emplace(*std::move(region));
  auto fleet = FleetView::open_inherited(std::move(read_only), inheritance.region);
  if (!fleet) return sentence_of(fleet.error());
  fleet_.emplace(*std::move(fleet));
  return {};
}

Result<void, std::string> Ground::stand_alone(const Config& config) {
  auto region = ScoreboardRegion::anonymous();
  if (!region) return sentence_of(region.error());
  scoreboard_.emplace(*std::move(region));
  if (!config.pid_file.empty()) {
    auto pid_file = PidFile::create(config.pid_file);
    if (!pid_file) return pid_file.error();
    pid_file_.emplace(*std::move(pid_file));
  }
  const auto owner = owner_of(config.user, config.group);
  if (!owner) return owner.error();
  auto listeners = open_listeners(config.bind, config.backlog, *owner);
  if (!listeners) return listeners.error();
  listeners_ = *std::move(listeners);
  for (const Listener& listener : listeners_) {
    listening_fds_.push_back(listener.fd());
  }
  return {};
}

void Ground::announce() const {
  for (const Listener& listener : listeners_) log::info("listening on ", listener.url());
}

void Ground::let_go_of_listeners() {
  inherited_listeners_.clear();
  listeners_.clear();
  listening_fds_.clear();
}

}  // namespace forklift
