#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "support/catch.h"
#include "support/store_fixture.h"
#include "worker/storage/beneath.h"
#include "worker/storage/file_ops.h"

namespace forklift {
namespace {

using namespace testing;

/// The same cases for both ways of opening a name.
template <typename Case>
void by_both_resolvers(Case run) {
  for (const Resolver resolver : {Resolver::kKernel, Resolver::kWalk}) {
    INFO((resolver == Resolver::kKernel ? "by the kernel" : "by the walk"));
    const StoreFixture f(resolver);
    run(f);
  }
}

void make_socket(const fs::path& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.string().size() < sizeof address.sun_path);
  std::strcpy(address.sun_path, path.c_str());
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

TEST_CASE("a file is opened at any depth, with what an ETag needs") {
  by_both_resolvers([](const StoreFixture& f) {
    for (const char* name : {"a", "b/c", "d/e/f/g/h"}) {
      REQUIRE(f.replace(name, name).ok());
      const auto file = f.store.open_file(name);
      REQUIRE(file.ok());
      struct stat status {};
      REQUIRE(::stat((f.root / name).c_str(), &status) == 0);
      CHECK(file->size == std::strlen(name));
      CHECK(file->inode == status.st_ino);
      CHECK(file->device == status.st_dev);
      CHECK(file->modified.tv_sec == status.st_mtim.tv_sec);
      CHECK((::fcntl(file->fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
  });
}

TEST_CASE("what is not there, or a directory, or below a file, is not found") {
  by_both_resolvers([](const StoreFixture& f) {
    REQUIRE(f.replace("d/file", "x").ok());
    for (const char* name : {"none", "d/none", "none/none", "d", "d/file/x", "d/file/x/y"}) {
      INFO(name);
      CHECK(code_of(f.store.open_file(name)) == ErrorCode::kNotFound);
      CHECK(code_of(f.store.remove(name, Durability::kNone)) == ErrorCode::kNotFound);
    }
    CHECK(content_of(f.root / "d" / "file") == "x");
  });
}

TEST_CASE("a symbolic link is never followed, wherever it stands and wherever it points") {
  by_both_resolvers([](const StoreFixture& f) {
    const fs::path outside = f.directory.path() / "outside";
    fs::create_directory(outside);
    write_file(outside / "secret", "secret");
    REQUIRE(f.replace("inside/file", "mine").ok());
    fs::create_directory_symlink(outside, f.root / "absolute");
    fs::create_directory_symlink("../outside", f.root / "relative");
    fs::create_directory_symlink("inside", f.root / "harmless");
    fs::create_directory_symlink("/proc/self/root", f.root / "inside" / "magic");
    fs::create_directory_symlink(".forklift", f.root / "private");
    fs::create_directory_symlink("loop", f.root / "loop");
    fs::create_symlink(outside / "secret", f.root / "file");
    fs::create_symlink(outside / "nothing", f.root / "dangling");
    for (const char* name : {"absolute/secret", "relative/secret", "harmless/file", "inside/magic/etc/passwd",
                             "private/parts/x", "loop/x", "file", "dangling", "absolute", "inside/magic"}) {
      INFO(name);
      CHECK(code_of(f.store.open_file(name)) == ErrorCode::kForbidden);
      CHECK(code_of(f.store.remove(name, Durability::kNone)) == ErrorCode::kForbidden);
      CHECK(code_of(f.replace(name, "evil")) == ErrorCode::kForbidden);
      CHECK(code_of(f.replace(name, "evil", Durability::kFull)) == ErrorCode::kForbidden);
      CHECK(code_of(f.put("evil", {name, PublishMode::kCreateOnly})) == ErrorCode::kForbidden);
    }
    for (const char* name : {"absolute", "relative/new", "loop", "inside/magic", "private/parts"}) {
      INFO(name);
      CHECK(code_of(f.put("evil", {name, PublishMode::kFresh})) == ErrorCode::kForbidden);
      CHECK(code_of(f.replace(std::string(name) + "/new/deep", "evil")) == ErrorCode::kForbidden);
    }
    CHECK(visible_in(outside) == std::vector<std::string>{"secret"});
    CHECK(content_of(outside / "secret") == "secret");
    CHECK(content_of(f.root / "inside" / "file") == "mine");
    CHECK(parts_in(f.root).empty());
  });
}

TEST_CASE("the kernel refuses a way out of the root itself, should a name ever get past the check") {
  const StoreFixture f;
  fs::create_directory(f.root / "inside");
  write_file(f.directory.path() / "secret", "secret");
  const UniqueFd root(::open(f.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!UniqueFd(file_ops::open_beneath(root.get(), ".", O_PATH | O_CLOEXEC))) {
    WARN("SKIPPED: no openat2 here");
    return;
  }
  const Beneath beneath(root.get(), Resolver::kKernel);
  for (const char* name : {"..", "../secret", "inside/../../secret", "/etc/passwd"}) {
    INFO(name);
    CHECK(code_of(beneath.open(name, O_RDONLY, "test")) == ErrorCode::kForbidden);
  }
}

TEST_CASE("only regular files are opened, and nothing hangs") {
  by_both_resolvers([](const StoreFixture& f) {
    REQUIRE(::mkfifo((f.root / "fifo").c_str(), 0666) == 0);
    make_socket(f.root / "socket");
    for (const char* name : {"fifo", "socket"}) {
      INFO(name);
      CHECK(code_of(f.store.open_file(name)) == ErrorCode::kNotRegular);
      CHECK(code_of(f.store.remove(name, Durability::kNone)) == ErrorCode::kNotRegular);
      CHECK(code_of(f.replace(name, "x")) == ErrorCode::kConflict);
    }
  });
}

TEST_CASE("an upload cannot go where a directory stands or below a file") {
  by_both_resolvers([](const StoreFixture& f) {
    REQUIRE(f.replace("d/file", "x").ok());
    for (const auto mode : {PublishMode::kReplace, PublishMode::kCreateOnly}) {
      for (const auto durability : {Durability::kNone, Durability::kFull}) {
        CHECK(code_of(f.put("y", {"d", mode}, durability)) == ErrorCode::kConflict);
        CHECK(code_of(f.put("y", {"d/file/z", mode}, durability)) == ErrorCode::kConflict);
        CHECK(code_of(f.put("y", {"d/file/z/deep", mode}, durability)) == ErrorCode::kConflict);
      }
    }
    CHECK(code_of(f.put("y", {"d/file", PublishMode::kFresh})) == ErrorCode::kConflict);
    CHECK(visible_in(f.root) == std::vector<std::string>{"d", "d/file"});
    CHECK(content_of(f.root / "d" / "file") == "x");
    CHECK(parts_in(f.root).empty());
  });
}

TEST_CASE("parents are made as needed, by many at once") {
  by_both_resolvers([](const StoreFixture& f) {
    CHECK(f.replace("a/b/c/d", "1", Durability::kFull).ok());
    CHECK(f.replace("a/b/x/y", "2").ok());
    CHECK(visible_in(f.root) == std::vector<std::string>{"a", "a/b", "a/b/c", "a/b/c/d", "a/b/x", "a/b/x/y"});
  });
}

TEST_CASE("removing a file leaves its open readers, and takes its directory along") {
  by_both_resolvers([](const StoreFixture& f) {
    REQUIRE(f.replace("d/file", "x").ok());
    const auto reader = f.store.open_file("d/file");
    REQUIRE(f.store.remove("d/file", Durability::kFull).ok());
    CHECK(visible_in(f.root).empty());
    char byte = 0;
    CHECK(::pread(reader->fd.get(), &byte, 1, 0) == 1);
    CHECK(code_of(f.store.remove("d/file", Durability::kNone)) == ErrorCode::kNotFound);
  });
}

TEST_CASE("a name the system finds too long says so") {
  by_both_resolvers([](const StoreFixture& f) {
    const std::string part(255, 'x');
    CHECK(f.replace(part, "x").ok());
    CHECK(f.store.open_file(part).ok());
    CHECK(code_of(f.replace(part + "y", "x")) == ErrorCode::kNameTooLong);
  });
}

}  // namespace
}  // namespace forklift
