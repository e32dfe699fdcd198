#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "support/catch.h"
#include "support/store_fixture.h"

namespace forklift {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::milliseconds;

/// A process that begins `count` parts over `root` and dies without a word.
void die_with_parts(const fs::path& root, int count) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto store = FileStore::open(root.string());
    std::vector<PartFile> parts;
    for (int i = 0; store && i < count; ++i) parts.push_back(store->begin().value());
    ::_exit(store && ::kill(::getpid(), SIGKILL) == 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

std::size_t sessions_in(const fs::path& root) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(root / ".forklift" / "parts"))
    count += entry.is_directory();
  return count;
}

TEST_CASE("the sweep removes the parts of a process that died") {
  const StoreFixture f;
  die_with_parts(f.root, 3);
  REQUIRE(parts_in(f.root).size() == 3);
  CHECK(f.store.sweep_parts(milliseconds(0)).value() == 3);
  CHECK(parts_in(f.root).empty());
  CHECK(sessions_in(f.root) == 1);
}

TEST_CASE("the sweep leaves young parts until they are old enough") {
  const StoreFixture f;
  die_with_parts(f.root, 2);
  const auto parts = parts_in(f.root);
  REQUIRE(parts.size() == 2);
  CHECK(f.store.sweep_parts(hours(1)).value() == 0);
  fs::last_write_time(parts[0], fs::file_time_type::clock::now() - hours(2));
  CHECK(f.store.sweep_parts(hours(1)).value() == 1);
  CHECK(parts_in(f.root).size() == 1);
  CHECK(f.store.sweep_parts(milliseconds(0)).value() == 1);
  CHECK(sessions_in(f.root) == 1);
}

TEST_CASE("the sweep never touches a part whose writer lives, at any age") {
  const StoreFixture f;
  const auto other = FileStore::open(f.root.string()).value();
  auto mine = f.store.begin().value();
  auto theirs = other.begin().value();
  for (const auto& part : parts_in(f.root)) {
    fs::last_write_time(part, fs::file_time_type::clock::now() - hours(48));
  }
  CHECK(f.store.sweep_parts(milliseconds(0)).value() == 0);
  CHECK(other.sweep_parts(milliseconds(0)).value() == 0);
  REQUIRE(theirs.write(bytes_of("whole")).ok());
  CHECK(other.publish(theirs, {"a", PublishMode::kReplace}, 5, Durability::kNone).ok());
  CHECK(f.store.publish(mine, {"b", PublishMode::kReplace}, 0, Durability::kNone).ok());
}

TEST_CASE("a store that ends takes its session with it") {
  const StoreFixture f;
  {
    const auto other = FileStore::open(f.root.string()).value();
    CHECK(sessions_in(f.root) == 2);
  }
  CHECK(sessions_in(f.root) == 1);
}

TEST_CASE("what lies among the parts and is no session is left alone") {
  const StoreFixture f;
  write_file(f.root / ".forklift" / "parts" / "note", "x");
  fs::create_directory_symlink(f.directory.path(), f.root / ".forklift" / "parts" / "link");
  write_file(f.directory.path() / "outside", "x");
  CHECK(f.store.sweep_parts(milliseconds(0)).value() == 0);
  CHECK(fs::exists(f.directory.path() / "outside"));
}

TEST_CASE("uploads, new stores and sweeps at once lose nothing") {
  const StoreFixture f;
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::thread sweeper([&] {
    while (!stop) {
      if (!f.store.sweep_parts(milliseconds(0))) ++failed;
    }
  });
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&] {
      for (int i = 0; i < 60; ++i) {
        const auto store = FileStore::open(f.root.string());
        if (!store) {
          ++failed;
          continue;
        }
        auto part = store->begin();
        if (!part || !part->write(bytes_of("content")).ok() ||
            !store->publish(*part, {"in", PublishMode::kFresh}, 7, Durability::kNone)) {
          ++failed;
        }
      }
    });
  }
  for (auto& writer : writers) writer.join();
  stop = true;
  sweeper.join();
  CHECK(failed == 0);
  CHECK(visible_in(f.root).size() == 1 + 180);
}

}  // namespace
}  // namespace forklift
