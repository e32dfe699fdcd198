#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "worker/storage/file_store.h"

namespace forklift::testing {

namespace fs = std::filesystem;

/// A directory of its own for one test, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (fs::temp_directory_path() / "forklift-test-XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline std::string content_of(const fs::path& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(content).str();
}

inline void write_file(const fs::path& file, std::string_view content) {
  std::ofstream(file, std::ios::binary) << content;
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Every file and directory below `root`, relative to it, sorted, without the private directory.
inline std::vector<std::string> visible_in(const fs::path& root) {
  std::vector<std::string> names;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    if (it->path() == root / ".forklift") {
      it.disable_recursion_pending();
    } else {
      names.push_back(it->path().lexically_relative(root).string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The parts of all sessions of `root`. Directories may go while they are read: then all are read again.
inline std::vector<fs::path> parts_in(const fs::path& root) {
  for (int attempts = 1;; ++attempts) {
    std::vector<fs::path> parts;
    std::error_code gone;
    fs::recursive_directory_iterator it(root / ".forklift" / "parts", gone);
    while (!gone && it != fs::recursive_directory_iterator()) {
      if (!it->is_directory(gone)) parts.push_back(it->path());
      it.increment(gone);
    }
    if (!gone || attempts == 1000) return parts;
  }
}

/// A store over a root of its own, and the whole way of an upload in one call.
struct StoreFixture {
  TemporaryDirectory directory;
  fs::path root = directory.path() / "root";
  FileStore store;

  explicit StoreFixture(Resolver resolver = Resolver::kKernel)
      : store(FileStore::open(root.string(), resolver).value()) {}

  Result<Stored> put(std::string_view content, const UploadTarget& target,
                     Durability durability = Durability::kNone) const {
    auto part = store.begin();
    if (!part) return part.error();
    if (auto written = part->write(bytes_of(content)); !written) return written.error();
    return store.publish(*part, target, content.size(), durability);
  }

  Result<Stored> replace(const std::string& name, std::string_view content,
                         Durability durability = Durability::kNone) const {
    return put(content, {name, PublishMode::kReplace}, durability);
  }
};

/// Why it failed; a test that expects a failure fails when there is none.
template <typename T>
ErrorCode code_of(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

}  // namespace forklift::testing
