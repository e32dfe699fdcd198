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

using Listeners = std::vector<std::unique_ptr<Listener>>;

bool holds(const Listeners& listeners, const Address& address) {
  return std::any_of(listeners.begin(), listeners.end(),
                     [&](const auto& listener) { return listener->asked() == address; });
}

/// What `config` binds and `held` does not have. All or nothing.
Result<Listeners, std::string> open_added(const Config& config, const Listeners& held) {
  std::vector<std::string> added;
  for (const std::string& text : config.bind) {
    const auto address = parse_address(text);
    if (!address) return address.error();
    if (!holds(held, *address)) added.push_back(text);
  }
  auto opened = open_listeners(added, config.backlog);
  if (!opened) return opened.error();
  Listeners listeners;
  for (Listener& listener : *opened) listeners.push_back(std::make_unique<Listener>(std::move(listener)));
  return listeners;
}

bool is_bound(const Config& config, const Listener& listener) {
  return std::any_of(config.bind.begin(), config.bind.end(), [&](const std::string& text) {
    const auto address = parse_address(text);
    return address && *address == listener.asked();
  });
}

}  // namespace

/// First a process that may fail reads the new configuration, then the master does.
void Supervisor::reload() {
  if (fleet_.stopping()) return;
  if (check_ != nullptr) {
    reload_again_ = true;
    return log::info("a configuration is being checked; the next reload follows");
  }
  const auto launch = Launch::prepare(config_, started_with_.environment);
  if (!launch) return log::error(kNotReloaded, launch.error());
  auto check = ConfigCheck::start(loop_, *launch, started_with_.arguments, started_with_.environment, *this);
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
    decide(fleet_.reload(last_generation_, policy_of(config_), now()));
  }
  if (std::exchange(reload_again_, false)) reload();
}

Result<void, std::string> Supervisor::prepare_reload() {
  auto loaded = load_config(started_with_.arguments, started_with_.environment);
  if (!loaded) return loaded.error().message;
  auto launch = Launch::prepare(loaded->config, started_with_.environment);
  if (!launch) return launch.error();
  auto added = open_added(loaded->config, listeners_);
  if (!added) return added.error();

  config_ = std::move(loaded->config);
  log::set_level(config_.log_level);
  ::umask(static_cast<mode_t>(config_.umask));
  for (const auto& listener : listeners_) {
    // Closing it would reset the connections in its queue, so the new workers go on serving it.
    if (!is_bound(config_, *listener)) log::warning(listener->url(), " stays open until the master ends");
  }
  for (auto& listener : *added) {
    log::info("listening on ", listener->url());
    listeners_.push_back(std::move(listener));
  }
  launches_.emplace(++last_generation_, std::move(*launch));
  return {};
}

}  // namespace forklift
