#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/store_fixture.h"

namespace forklift {
namespace {

using namespace testing;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::string read_all(const OpenedFile& file) {
  std::string content(file.size, '\0');
  REQUIRE(::pread(file.fd.get(), content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
  return content;
}

TEST_CASE("the file store makes its root and its private directory") {
  TemporaryDirectory directory;
  const mode_t before = ::umask(022);
  const fs::path root = directory.path() / "a" / "b" / "root";
  const auto store = FileStore::open(root.string() + "/");
  ::umask(before);
  REQUIRE(store.ok());
  CHECK(mode_of(root) == 0750);
  CHECK(mode_of(root / ".forklift") == 0700);
  CHECK(mode_of(root / ".forklift" / "parts") == 0700);
}

TEST_CASE("the file store refuses a root that is a file or whose private directory is a link") {
  TemporaryDirectory directory;
  write_file(directory.path() / "file", "x");
  CHECK(code_of(FileStore::open((directory.path() / "file").string())) == ErrorCode::kConflict);
  CHECK(code_of(FileStore::open((directory.path() / "file" / "root").string())) == ErrorCode::kConflict);
  CHECK(code_of(FileStore::open("")) == ErrorCode::kNotFound);
  fs::create_directories(directory.path() / "root");
  fs::create_directories(directory.path() / "elsewhere");
  fs::create_directory_symlink(directory.path() / "elsewhere", directory.path() / "root" / ".forklift");
  for (const Resolver resolver : {Resolver::kKernel, Resolver::kWalk}) {
    CHECK(code_of(FileStore::open((directory.path() / "root").string(), resolver)) == ErrorCode::kForbidden);
  }
}

TEST_CASE("the file store follows a symbolic link to its root") {
  TemporaryDirectory directory;
  fs::create_directory(directory.path() / "real");
  fs::create_directory_symlink("real", directory.path() / "link");
  CHECK(FileStore::open((directory.path() / "link").string()).ok());
}

TEST_CASE("an upload is invisible until it is published, then whole") {
  const StoreFixture f;
  auto part = f.store.begin();
  REQUIRE(part.ok());
  REQUIRE(part->write(bytes_of("hello ")).ok());
  REQUIRE(part->write_at(bytes_of("world"), 6).ok());
  CHECK(visible_in(f.root).empty());
  const auto stored = f.store.publish(*part, {"a.txt", PublishMode::kReplace}, 11, Durability::kNone);
  REQUIRE(stored.ok());
  CHECK(stored->file_path == "a.txt");
  CHECK(stored->size == 11);
  CHECK_FALSE(stored->replaced);
  CHECK(stored->durability == Durability::kNone);
  CHECK(content_of(f.root / "a.txt") == "hello world");
  CHECK(parts_in(f.root).empty());
}

TEST_CASE("a part that is not published leaves no trace") {
  const StoreFixture f;
  {
    auto part = f.store.begin();
    REQUIRE(part.ok());
    auto moved = std::move(*part);
    REQUIRE(moved.write(bytes_of("x")).ok());
    CHECK(parts_in(f.root).size() == 1);
    moved = f.store.begin().value();
    CHECK(parts_in(f.root).size() == 1);
  }
  CHECK(parts_in(f.root).empty());
}

TEST_CASE("a published file has mode 0666 less umask") {
  const StoreFixture f;
  const mode_t before = ::umask(027);
  REQUIRE(f.replace("d/a", "x").ok());
  ::umask(before);
  CHECK(mode_of(f.root / "d") == 0750);
  CHECK(mode_of(f.root / "d" / "a") == 0640);
}

TEST_CASE("the file store replaces a file in one step") {
  for (const auto durability : {Durability::kNone, Durability::kData, Durability::kFull}) {
    const StoreFixture f;
    REQUIRE(f.replace("a", "old", durability).ok());
    const auto reader = f.store.open_file("a");
    const auto stored = f.replace("a", "newer", durability);
    REQUIRE(stored.ok());
    CHECK(stored->replaced);
    CHECK(stored->durability == durability);
    CHECK(content_of(f.root / "a") == "newer");
    CHECK(read_all(*reader) == "old");
    CHECK(parts_in(f.root).empty());
  }
}

TEST_CASE("create-only refuses a name that is taken, and keeps what is there") {
  const StoreFixture f;
  REQUIRE(f.put("first", {"a", PublishMode::kCreateOnly}).ok());
  CHECK(code_of(f.put("second", {"a", PublishMode::kCreateOnly})) == ErrorCode::kExists);
  CHECK(content_of(f.root / "a") == "first");
  CHECK(parts_in(f.root).empty());
}

TEST_CASE("a fresh upload gets a new name in its directory") {
  const StoreFixture f;
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) {
    const auto stored = f.put(std::to_string(i), {"uploads", PublishMode::kFresh});
    REQUIRE(stored.ok());
    CHECK(stored->file_path.rfind("uploads/2", 0) == 0);
    CHECK(stored->file_path.size() == std::string("uploads/20261123T174411Z-0123456789abcdef").size());
    CHECK(read_all(f.store.open_file(stored->file_path).value()) == std::to_string(i));
    names.insert(stored->file_path);
  }
  CHECK(names.size() == 100);
}

TEST_CASE("a fresh upload makes its directory anew when somebody removed it") {
  const StoreFixture f;
  REQUIRE(f.put("x", {"in/here", PublishMode::kFresh}).ok());
  fs::rename(f.root / "in", f.root / "moved");
  const auto stored = f.put("y", {"in/here", PublishMode::kFresh});
  REQUIRE(stored.ok());
  CHECK(content_of(f.root / stored->file_path) == "y");
}

TEST_CASE("an upload whose size is not what was announced is thrown away") {
  const StoreFixture f;
  auto part = f.store.begin();
  REQUIRE(part->write(bytes_of("abc")).ok());
  const auto stored = f.store.publish(*part, {"a", PublishMode::kReplace}, 4, Durability::kNone);
  CHECK(code_of(stored) == ErrorCode::kIo);
  CHECK(std::string(stored.error().operation) == "publish: size");
  CHECK(visible_in(f.root).empty());
  CHECK(parts_in(f.root).empty());
}

TEST_CASE("a part cannot be published twice") {
  const StoreFixture f;
  auto part = f.store.begin();
  REQUIRE(f.store.publish(*part, {"a", PublishMode::kReplace}, 0, Durability::kNone).ok());
  CHECK_FALSE(f.store.publish(*part, {"b", PublishMode::kReplace}, 0, Durability::kNone).ok());
  CHECK(visible_in(f.root) == std::vector<std::string>{"a"});
}

TEST_CASE("the file store checks names itself") {
  const StoreFixture f;
  for (const char* name : {"", "..", "../a", "a/../../b", "/etc/passwd", "a/", ".", "a\nb"}) {
    INFO(name);
    CHECK(code_of(f.replace(name, "x")) == ErrorCode::kBadName);
    CHECK(code_of(f.store.open_file(name)) == ErrorCode::kBadName);
    CHECK(code_of(f.store.remove(name, Durability::kNone)) == ErrorCode::kBadName);
  }
  for (const char* name : {".forklift", ".forklift/parts", ".forklift/parts/x", "upload/a", "download"}) {
    INFO(name);
    CHECK(code_of(f.replace(name, "x")) == ErrorCode::kReservedName);
    CHECK(code_of(f.put("x", {name, PublishMode::kFresh})) == ErrorCode::kReservedName);
    CHECK(code_of(f.store.open_file(name)) == ErrorCode::kReservedName);
    CHECK(code_of(f.store.remove(name, Durability::kNone)) == ErrorCode::kReservedName);
  }
  CHECK(visible_in(f.root).empty());
  CHECK(parts_in(f.root).empty());
}

TEST_CASE("of many who create one name at once exactly one succeeds") {
  for (const auto durability : {Durability::kNone, Durability::kFull}) {
    const StoreFixture f;
    const auto other = FileStore::open(f.root.string()).value();
    std::atomic<int> created{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          auto part = (t % 2 == 0 ? f.store : other).begin();
          const std::string content = std::to_string(t);
          if (!part || !part->write(bytes_of(content)).ok()) return;
          const UploadTarget target{"d/" + std::to_string(i) + "/x", PublishMode::kCreateOnly};
          const auto stored = f.store.publish(*part, target, content.size(), durability);
          if (stored) ++created;
          if (!stored && stored.error().code == ErrorCode::kExists) ++refused;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(created == 50);
    CHECK(refused == 350);
    CHECK(parts_in(f.root).empty());
  }
}

TEST_CASE("of many who replace one name at once exactly one finds it new") {
  for (const auto durability : {Durability::kNone, Durability::kFull}) {
    const StoreFixture f;
    std::atomic<int> fresh{0};
    std::atomic<int> replaced{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          const auto stored = f.replace("x", "some content", durability);
          if (stored) ++(stored->replaced ? replaced : fresh);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(fresh == 1);
    CHECK(replaced == 399);
    CHECK(content_of(f.root / "x") == "some content");
    CHECK(parts_in(f.root).empty());
  }
}

TEST_CASE("a removal takes the directories along that it empties, and no others") {
  const StoreFixture f;
  for (const char* name : {"a/b/c/x", "a/b/y", "a/z", "q/r/s"}) REQUIRE(f.replace(name, "x").ok());
  REQUIRE(f.store.remove("a/b/c/x", Durability::kFull).ok());
  CHECK(visible_in(f.root) == std::vector<std::string>{"a", "a/b", "a/b/y", "a/z", "q", "q/r", "q/r/s"});
  REQUIRE(f.store.remove("q/r/s", Durability::kNone).ok());
  REQUIRE(f.store.remove("a/b/y", Durability::kNone).ok());
  CHECK(visible_in(f.root) == std::vector<std::string>{"a", "a/z"});
  REQUIRE(f.store.remove("a/z", Durability::kNone).ok());
  CHECK(visible_in(f.root).empty());
  CHECK(fs::exists(f.root / ".forklift" / "parts"));
  CHECK(f.replace("a", "a file now").ok());
}

TEST_CASE("no upload is lost or fails while others remove the last file of its directories") {
  const StoreFixture f;
  std::atomic<bool> over{false};
  std::atomic<int> failed{0};
  std::thread other([&] {
    while (!over) {
      if (!f.replace("a/b/d", "x").ok() || !f.store.remove("a/b/d", Durability::kNone).ok()) ++failed;
    }
  });
  for (int i = 0; i < 1000; ++i) {
    const auto mode = i % 2 == 0 ? PublishMode::kReplace : PublishMode::kFresh;
    const auto stored = f.put("y", {i % 2 == 0 ? "a/b/c" : "a/b", mode});
    if (!stored.ok() || !f.store.remove(stored->file_path, Durability::kNone).ok()) ++failed;
  }
  over = true;
  other.join();
  CHECK(failed == 0);
  CHECK(visible_in(f.root).empty());
}

}  // namespace
}  // namespace forklift
