#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/result.h"
#include "common/unique_fd.h"
#include "master/launch.h"
#include "master/uv_handle.h"

namespace forklift {

/// Told once how a ConfigCheck ended; may destroy it.
class ConfigCheckObserver {
 public:
  /// Nothing: the configuration is sound. Else why it is not, as a sentence.
  virtual void config_checked(std::optional<std::string> problem) = 0;

 protected:
  ~ConfigCheckObserver() = default;
};

/// A throw-away process that reads a new configuration before the master does (worker --check-config): it may
/// crash, hang or be wrong without harm. Owned by the Supervisor while a reload is prepared. Destroying it
/// kills the process.
class ConfigCheck {
 public:
  static constexpr milliseconds kDeadline{10000};

  /// Runs the binary of `launch`, but with the arguments and the environment that the master was started
  /// with.
  static Result<std::unique_ptr<ConfigCheck>> start(uv_loop_t& loop, const Launch& launch,
                                                    const std::vector<std::string>& arguments,
                                                    const std::vector<std::string>& environment,
                                                    ConfigCheckObserver& observer);
  ConfigCheck(const ConfigCheck&) = delete;
  ConfigCheck& operator=(const ConfigCheck&) = delete;
  ~ConfigCheck();

  int pid() const { return uv_process_get_pid(process_.get()); }

 private:
  ConfigCheck(UniqueFd errors, ConfigCheckObserver& observer);

  void exited(std::int64_t status, int signal);
  std::string last_error() const;

  ConfigCheckObserver& observer_;
  UniqueFd errors_;  // a pipe: what the process wrote on its standard error
  UvHandle<uv_process_t> process_;
  UvHandle<uv_timer_t> deadline_;
  bool running_ = false;
};

}  // namespace forklift
