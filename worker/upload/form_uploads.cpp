#include "worker/upload/form_uploads.h"

#include <sys/resource.h>

#include <algorithm>

namespace forklift {

std::size_t FormUploads::open_files_max_here() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  return std::max<std::size_t>(limit.rlim_cur / 4, 1);
}

std::optional<FormUploads::OpenFile> FormUploads::open_file() {
  if (open_files_ == open_files_max) return {};
  return OpenFile(*this);
}

}  // namespace forklift
