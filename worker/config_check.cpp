#include "worker/config_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "common/errno_error.h"
#include "common/log.h"
#include "common/privileges.h"
#include "worker/http/file_answers.h"
#include "worker/routes/table.h"
#include "worker/storage/file_store.h"

namespace forklift {
namespace {

using Checked = Result<void, std::string>;

std::string os_reason() { return std::generic_category().message(errno); }

bool exists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

/// `path` is to be made in a directory that is there.
std::string directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

Checked check_root_to_be(const Config& config) {
  std::string directory = std::filesystem::absolute(config.root).lexically_normal().string();
  while (directory.size() > 1 && !exists(directory)) directory = directory_of(directory);
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    return log::text("cannot make the root ", config.root, " in ", directory, ": ", os_reason());
  }
  return {};
}

Checked check_root(const Config& config) {
  if (!exists(config.root)) return check_root_to_be(config);
  const auto store = FileStore::open(config.root);
  if (!store) return log::text("cannot use the root ", config.root, ": ", sentence_of(store.error()));
  const auto options = route_options_of(config, *store);
  if (!options) return options.error();
  return {};
}

Checked check_files(const Config& config) {
  if (const auto answers = FileAnswers::of(config); !answers) return answers.error();
  if (!config.sample.empty() && ::access(config.sample.c_str(), R_OK) != 0) {
    return log::text("cannot read the sample ", config.sample, ": ", os_reason());
  }
  const std::string& log_path = config.access_logfile;
  if (log_path.empty() || log_path == "-") return {};
  if (::access((exists(log_path) ? log_path : directory_of(log_path)).c_str(), W_OK) != 0) {
    return log::text("cannot open the access log ", log_path, ": ", os_reason());
  }
  return {};
}

}  // namespace

Result<void, std::string> check_config(const Config& config) {
  if (auto dropped = drop_privileges(config.user, config.group); !dropped) return dropped;
  if (auto checked = check_root(config); !checked) return checked;
  return check_files(config);
}

}  // namespace forklift
