#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "common/errno_error.h"
#include "common/log.h"
#include "common/options.h"
#include "master/supervisor.h"

namespace forklift {
namespace {

constexpr const char* kNotReloaded = "not reloaded, everything stays as it is: ";

/// What `config` binds and is not among `held`. All or nothing.
Result<std::vector<Listener>, std::string> open_added(const Config& config,
                                                      const std::vector<Address>& held) {
  std::vector<std::string> added;
  for (const std::string& text : config.bind) {
    const auto address = parse_address(text);
    if (!address) return address.error();
    if (std::find(held.begin(), held.end(), *address) == held.end()) added.push_back(text);
  }
  const auto owner = owner_of(config.user, config.group);
  if (!owner) return owner.error();
  return open_listeners(added, config.backlog, *owner);
}

bool is_bound(const Config& config, const Listener& listener) {
  return std::any_of(config.bind.begin(), config.bind.end(), [&](const std::string& text) {
    const auto address = parse_address(text);
    return address && *address == listener.asked();
  });
}

}  // namespace

/// First a process that may fail reads the new configuration, then the master does. The process runs the
/// binary that is now where that of the serving generation was found, or this itself where there is none.
void Supervisor::reload() {
  if (fleet_.stopping()) return;
  if (check_ != nullptr) {
    reload_again_ = true;
    return log::info("a configuration is being checked; the next reload follows");
  }
  const auto newest = Launch::prepare(config_, started_with_.environment);
  const Launch& launch = newest ? *newest : eras_.at(fleet_.stable_generation()).launch;
  auto check = ConfigCheck::start(loop_, launch, started_with_.arguments, started_with_.environment, *this);
  if (!check) return log::error(kNotReloaded, sentence_of(check.error()));
  check_ = std::move(*check);
}

void Supervisor::config_checked(std::optional<std::string> problem) {
  check_.reset();
  if (fleet_.stopping()) return;
  if (!problem) {
    if (const auto prepared = prepare_reload(); !prepared) problem = prepared.error();
  }
  if (problem) {
    log::error(kNotReloaded, *problem);
  } else {
    decide(fleet_.reload(last_generation_, policy_of(eras_.at(last_generation_).config), now()));
  }
  if (std::exchange(reload_again_, false)) reload();
}

Result<void, std::string> Supervisor::prepare_reload() {
  auto loaded = load_config(started_with_.arguments, started_with_.environment);
  if (!loaded) return loaded.error().message;
  auto launch = Launch::prepare(loaded->config, started_with_.environment);
  if (!launch) return launch.error();
  std::vector<Address> held;
  for (const HeldListener& each : listeners_) held.push_back(each.listener->asked());
  auto added = open_added(loaded->config, held);
  if (!added) return added.error();

  for (Listener& listener : *added) {
    log::info("listening on ", listener.url());
    listeners_.push_back({std::make_unique<Listener>(std::move(listener)), false});
  }
  eras_.emplace(++last_generation_, Era{std::move(loaded->config), std::move(*launch)});
  return {};
}

/// A reload has succeeded: what it says of the master itself holds from now on.
void Supervisor::adopt() {
  adopted_generation_ = fleet_.stable_generation();
  config_ = eras_.at(adopted_generation_).config;
  log::set_level(config_.log_level);
  ::umask(static_cast<mode_t>(config_.umask));
  for (HeldListener& held : listeners_) {
    if (is_bound(config_, *held.listener)) {
      held.adopted = true;
    } else if (held.adopted) {
      log::warning(held.listener->url(), " stays open until the master ends");
    }
  }
}

/// What only a reload wanted that was taken back, or overtaken by the next.
void Supervisor::close_unwanted() {
  std::erase_if(listeners_, [this](const HeldListener& held) {
    const auto binds = [&](const auto& entry) { return is_bound(entry.second.config, *held.listener); };
    if (held.adopted || std::any_of(eras_.begin(), eras_.end(), binds)) return false;
    log::info("no longer listening on ", held.listener->url());
    return true;
  });
}

/// A worker of an old generation knows nothing of an address that a reload has added.
std::vector<int> Supervisor::listening(const Config& config) const {
  std::vector<int> descriptors;
  for (const HeldListener& held : listeners_) {
    if (held.adopted || is_bound(config, *held.listener)) descriptors.push_back(held.listener->fd());
  }
  return descriptors;
}

}  // namespace forklift
