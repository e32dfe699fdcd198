#pragma once

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>

#include "common/unique_fd.h"

namespace forklift::testing {

/// A real, empty, very small file system (tmpfs, or a `type` that takes a size or ignores it) that is mounted
/// nowhere: it hangs on a descriptor and goes with it. Needs CAP_SYS_ADMIN and fsmount(2); `made()` says
/// whether it was had.
class TinyDisk {
 public:
  explicit TinyDisk(const char* size, const char* type = "tmpfs") {
    const UniqueFd context(::fsopen(type, FSOPEN_CLOEXEC));
    if (!context) return;
    if (::fsconfig(context.get(), FSCONFIG_SET_STRING, "size", size, 0) < 0) return;
    if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return;
    mount_.reset(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  }

  bool made() const { return mount_.valid(); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(mount_.get()); }

 private:
  UniqueFd mount_;
};

}  // namespace forklift::testing
