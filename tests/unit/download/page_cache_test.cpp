#include "worker/download/page_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "support/body_pattern.h"
#include "support/cold_file.h"
#include "support/loop_support.h"

namespace forklift {
namespace {

using namespace testing;

constexpr std::uint64_t kMiB = 1 << 20;

OpenedFile open_here(const fs::path& path) { return FileStore::open_path(path.string()).value(); }

void read_part(const OpenedFile& file, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  // Without the system's own reading ahead, which would bring more.
  CHECK(::posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_RANDOM) == 0);
  CHECK(::pread(file.fd.get(), bytes.data(), size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size));
}

TEST_CASE("what was just written is in memory, to its last byte") {
  TemporaryDirectory directory;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{3 * kMiB}}) {
    LoopFixture f;
    PageCache pages(f.loop);
    const fs::path path = directory.path() / std::to_string(size);
    write_file(path, body_of(size));
    const OpenedFile file = open_here(path);
    CHECK(pages.holds(file, 0, size));
    CHECK(pages.holds(file, size - 1, size));
  }
}

TEST_CASE("what was dropped from memory is not there, but for the part that was read again") {
  TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file(path, body_of(3 * kMiB));
  if (!drop_from_memory(path)) {
    WARN("SKIPPED: this file system keeps its files in memory");
    return;
  }
  LoopFixture f;
  PageCache pages(f.loop);
  const OpenedFile file = open_here(path);
  CHECK_FALSE(pages.holds(file, 0, kMiB));
  CHECK_FALSE(pages.holds(file, 3 * kMiB - 1, 3 * kMiB));
  read_part(file, kMiB, kMiB);
  CHECK(pages.holds(file, kMiB, 2 * kMiB));
  CHECK_FALSE(pages.holds(file, kMiB, 2 * kMiB + 1));
  CHECK_FALSE(pages.holds(file, 0, kMiB + 1));
}

TEST_CASE("the first byte and the last may be there and what is between them not") {
  TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file(path, body_of(kMiB));
  if (!drop_from_memory(path)) return;
  LoopFixture f;
  PageCache pages(f.loop);
  const OpenedFile file = open_here(path);
  read_part(file, 0, 1);
  read_part(file, kMiB - 1, 1);
  CHECK_FALSE(pages.holds(file, 0, kMiB));
}

TEST_CASE("what was brought is trusted, for no other file and no other part") {
  TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file(path, body_of(2 * kMiB));
  write_file(directory.path() / "other", body_of(2 * kMiB));
  if (!drop_from_memory(path) || !drop_from_memory(directory.path() / "other")) return;
  LoopFixture f;
  PageCache pages(f.loop);
  const OpenedFile file = open_here(path);
  pages.brought(file, 4096, 8192);
  CHECK(pages.holds(file, 4096, 8192));
  CHECK(pages.holds(file, 5000, 8000));
  CHECK_FALSE(pages.holds(file, 4095, 8192));
  CHECK_FALSE(pages.holds(file, 4096, 8193));
  CHECK_FALSE(pages.holds(open_here(directory.path() / "other"), 4096, 8192));
  f.run_for(milliseconds(1100));
  CHECK_FALSE(pages.holds(file, 4096, 8192));
}

}  // namespace
}  // namespace forklift
