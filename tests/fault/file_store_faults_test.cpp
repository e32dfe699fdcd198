#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/fault_file_ops.h"
#include "support/store_fixture.h"

namespace forklift {
namespace {

using namespace testing;
using Calls = std::vector<std::string>;

/// A store that knows no fault yet.
struct FaultFixture {
  FaultFixture() { faults::forget_calls(); }
  ~FaultFixture() { faults::reset(); }

  StoreFixture f;
  const FileStore& store = f.store;
};

struct ErrnoCase {
  int os_error;
  ErrorCode code;
};

constexpr ErrnoCase kErrnos[] = {{ENOSPC, ErrorCode::kNoSpace},   {EDQUOT, ErrorCode::kNoSpace},
                                 {EIO, ErrorCode::kIo},           {EMFILE, ErrorCode::kTooManyOpen},
                                 {ENOMEM, ErrorCode::kNoMemory},  {EROFS, ErrorCode::kReadOnly},
                                 {EACCES, ErrorCode::kForbidden}, {EFBIG, ErrorCode::kFileTooBig}};

/// Which uploads are stamped depends on the kernel (PartClock).
Calls calls_but_stamps() {
  Calls calls = faults::calls();
  calls.erase(std::remove(calls.begin(), calls.end(), "set_modified"), calls.end());
  return calls;
}

TEST_CASE("the commit is write, fdatasync, publish, fsync of the directory, in that order") {
  FaultFixture t;
  REQUIRE(t.f.replace("a", "x", Durability::kFull).ok());
  CHECK(calls_but_stamps() ==
        Calls{"open_at", "write_some", "stat_fd", "sync_data", "rename_no_replace", "sync_all"});
  faults::forget_calls();
  REQUIRE(t.f.replace("b", "x", Durability::kData).ok());
  CHECK(calls_but_stamps() == Calls{"open_at", "write_some", "stat_fd", "sync_data", "rename_no_replace"});
}

TEST_CASE("an upload under a fresh name costs five calls and two closes") {
  FaultFixture t;
  REQUIRE(t.f.put("x", {"uploads", PublishMode::kFresh}).ok());
  faults::forget_calls();
  REQUIRE(t.f.put("x", {"uploads", PublishMode::kFresh}).ok());
  CHECK(calls_but_stamps() == Calls{"open_at", "write_some", "stat_fd", "open_beneath", "rename_no_replace"});
}

TEST_CASE("a replacement costs a lock, a look and an unlock more than an upload under a new name") {
  FaultFixture t;
  REQUIRE(t.f.replace("a", "x").ok());
  CHECK(calls_but_stamps() == Calls{"open_at", "write_some", "stat_fd", "rename_no_replace"});
  faults::forget_calls();
  REQUIRE(t.f.replace("a", "y").ok());
  CHECK(calls_but_stamps() == Calls{"open_at", "write_some", "stat_fd", "rename_no_replace", "lock_byte",
                                    "stat_at", "rename_at", "unlock_byte"});
  const ExpectedState expected{ExpectedState::Kind::kPresent};
  faults::forget_calls();
  REQUIRE(t.f.put("z", {"a", PublishMode::kReplace, expected}).ok());
  CHECK(calls_but_stamps() ==
        Calls{"open_at", "write_some", "stat_fd", "lock_byte", "stat_at", "rename_at", "unlock_byte"});
}

TEST_CASE("where the file system's times are coarse a part gets a fine one before it is looked at") {
  faults::reset();
  faults::fail("write_at", EIO);  // the store's question to the file system
  FaultFixture t;
  faults::forget_calls();
  const auto first = t.f.replace("a", "x");
  CHECK(faults::calls() == Calls{"open_at", "write_some", "set_modified", "stat_fd", "rename_no_replace"});
  CHECK(etag_of(first->version) == etag_of(t.store.open_file("a").value()));
  faults::fail("set_modified", EIO);
  CHECK(code_of(t.f.replace("a", "y")) == ErrorCode::kIo);
  CHECK(content_of(t.f.root / "a") == "x");
}

TEST_CASE("an expectation that the disk fails to answer stores nothing") {
  for (const auto kind : {ExpectedState::Kind::kPresent, ExpectedState::Kind::kNoneOf}) {
    for (const char* operation : {"lock_byte", "stat_at", "rename_at"}) {
      FaultFixture t;
      REQUIRE(t.f.replace("a", "old").ok());
      faults::fail(operation, EIO);
      CHECK(code_of(t.f.put("new", {"a", PublishMode::kReplace, {kind}})) == ErrorCode::kIo);
      CHECK(content_of(t.f.root / "a") == "old");
      CHECK(parts_in(t.f.root).empty());
    }
  }
}

TEST_CASE("a lock that cannot be given back is closed, and the next upload gets another") {
  FaultFixture t;
  REQUIRE(t.f.replace("a", "1").ok());
  faults::fail("unlock_byte", EIO);
  REQUIRE(t.f.replace("a", "2").ok());
  faults::forget_calls();
  REQUIRE(t.f.replace("a", "3").ok());
  CHECK(faults::count("open_at") == 2);  // the part and the lock
}

TEST_CASE("with full durability the parent of every directory made is synced before anything is in it") {
  FaultFixture t;
  REQUIRE(t.f.replace("a/b/c", "x", Durability::kFull).ok());
  CHECK(faults::count("make_directory_at") == 2);
  CHECK(faults::count("sync_all") == 3);
  const auto calls = faults::calls();
  const auto renamed = std::find(calls.begin(), calls.end(), "rename_no_replace");
  CHECK(std::count(calls.begin(), renamed, "sync_all") == 2);
}

TEST_CASE("an upload whose disk fails at any step leaves nothing and says why") {
  for (const char* operation : {"open_at", "write_some", "stat_fd", "sync_data", "open_beneath",
                                "make_directory_at", "rename_no_replace", "sync_all"}) {
    for (const auto& [os_error, code] : kErrnos) {
      for (const auto mode : {PublishMode::kFresh, PublishMode::kReplace, PublishMode::kCreateOnly}) {
        FaultFixture t;
        INFO(operation << " " << os_error << " mode " << static_cast<int>(mode));
        faults::fail(operation, os_error);
        CHECK(code_of(t.f.put("content", {"d/e", mode}, Durability::kFull)) == code);
        const bool cleans_up_by_it = operation == std::string_view("open_beneath");
        CHECK(faults::count(operation) == (cleans_up_by_it && mode == PublishMode::kFresh ? 2 : 1));
        CHECK(visible_in(t.f.root).empty());
        CHECK(parts_in(t.f.root).empty());
      }
    }
  }
}

TEST_CASE("a directory that cannot be synced takes the new file back, and goes") {
  for (const auto mode : {PublishMode::kReplace, PublishMode::kCreateOnly}) {
    for (int nth = 1; nth <= 2; ++nth) {
      FaultFixture t;
      faults::fail("sync_all", EIO, nth);
      CHECK(code_of(t.f.put("content", {"d/a", mode}, Durability::kFull)) == ErrorCode::kIo);
      CHECK(visible_in(t.f.root).empty());
      CHECK(parts_in(t.f.root).empty());
    }
  }
}

TEST_CASE("a replacement that fails at any step leaves the old file") {
  for (const char* operation : {"open_at", "write_some", "stat_fd", "sync_data", "rename_no_replace",
                                "rename_exchange", "sync_all", "lock_byte"}) {
    for (const auto& [os_error, code] : kErrnos) {
      if (operation == std::string_view("lock_byte") && os_error == EACCES) continue;  // "another holds it"
      FaultFixture t;
      REQUIRE(t.f.replace("a", "old").ok());
      INFO(operation << " " << os_error);
      faults::fail(operation, os_error);
      CHECK(code_of(t.f.replace("a", "new", Durability::kFull)) == code);
      CHECK(content_of(t.f.root / "a") == "old");
      CHECK(parts_in(t.f.root).empty());
    }
  }
  FaultFixture t;
  REQUIRE(t.f.replace("a", "old").ok());
  faults::fail("rename_at", ENOSPC);
  CHECK(code_of(t.f.replace("a", "new")) == ErrorCode::kNoSpace);
  CHECK(content_of(t.f.root / "a") == "old");
  CHECK(parts_in(t.f.root).empty());
}

TEST_CASE("a failed sync is never repeated") {
  for (const int os_error : {EIO, EINTR, ENOSPC}) {
    FaultFixture t;
    faults::fail("sync_data", os_error);
    CHECK_FALSE(t.f.replace("a", "x", Durability::kData).ok());
    CHECK(faults::count("sync_data") == 1);
    faults::fail("sync_all", os_error);
    CHECK_FALSE(t.f.replace("a", "x", Durability::kFull).ok());
    CHECK(faults::count("sync_all") == 1);
    CHECK(visible_in(t.f.root).empty());
  }
}

TEST_CASE("interrupted calls and short writes are survived") {
  FaultFixture t;
  const std::string content(10'000, 'x');
  faults::limit_transfers(999);
  for (const char* operation : {"open_at", "write_some", "write_at", "open_beneath"}) {
    faults::fail(operation, EINTR);
  }
  REQUIRE(t.f.put(content, {"in", PublishMode::kFresh}).ok());
  CHECK(faults::count("write_some") == 12);
  auto part = t.store.begin();
  REQUIRE(part->write_at(bytes_of(content), 0).ok());
  REQUIRE(t.store.publish(*part, {"a", PublishMode::kReplace}, content.size(), Durability::kNone).ok());
  CHECK(content_of(t.f.root / "a") == content);
}

TEST_CASE("without renameat2 a file is published by a link") {
  for (const int os_error : {EINVAL, ENOSYS}) {
    for (const auto durability : {Durability::kNone, Durability::kFull}) {
      FaultFixture t;
      faults::fail_always("rename_no_replace", os_error);
      faults::fail_always("rename_exchange", os_error);
      const UploadTarget only{"d/a", PublishMode::kCreateOnly};
      REQUIRE(t.f.put("one", only, durability).ok());
      CHECK(code_of(t.f.put("two", only, durability)) == ErrorCode::kExists);
      CHECK(content_of(t.f.root / "d" / "a") == "one");
      CHECK_FALSE(t.f.replace("b", "one", durability)->replaced);
      CHECK(t.f.replace("b", "two", durability)->replaced);
      CHECK(content_of(t.f.root / "b") == "two");
      CHECK(code_of(t.f.replace("d", "x", durability)) == ErrorCode::kConflict);
      CHECK(t.f.put("x", {"d", PublishMode::kFresh}, durability).ok());
      CHECK(parts_in(t.f.root).empty());
    }
  }
}

TEST_CASE("a file published by a link is taken back when its directory cannot be synced") {
  FaultFixture t;
  faults::fail_always("rename_no_replace", EINVAL);
  faults::fail("sync_all", EIO);
  CHECK(code_of(t.f.replace("a", "x", Durability::kFull)) == ErrorCode::kIo);
  CHECK(visible_in(t.f.root).empty());
  CHECK(parts_in(t.f.root).empty());
}

TEST_CASE("a fresh name that is taken is drawn again, but not for ever") {
  FaultFixture t;
  faults::fail("rename_no_replace", EEXIST);
  REQUIRE(t.f.put("x", {"in", PublishMode::kFresh}).ok());
  CHECK(faults::count("rename_no_replace") == 2);
  faults::fail_always("rename_no_replace", EEXIST);
  CHECK(code_of(t.f.put("x", {"in", PublishMode::kFresh})) == ErrorCode::kExists);
  CHECK(parts_in(t.f.root).empty());
}

TEST_CASE("without openat2 names are walked, with the same answers") {
  for (const auto& [os_error, from_the_start] : {std::pair{ENOSYS, true}, {EPERM, true}, {ENOSYS, false}}) {
    faults::reset();
    if (from_the_start) faults::fail_always("open_beneath", os_error);
    FaultFixture t;
    if (!from_the_start) faults::fail_always("open_beneath", os_error);
    REQUIRE(t.f.replace("a/b/c", "x").ok());
    CHECK(t.store.open_file("a/b/c").ok());
    CHECK(code_of(t.store.open_file("a/none/c")) == ErrorCode::kNotFound);
    fs::create_directory_symlink("b", t.f.root / "a" / "link");
    CHECK(code_of(t.store.open_file("a/link/c")) == ErrorCode::kForbidden);
    CHECK(code_of(t.f.put("x", {"a/link", PublishMode::kFresh})) == ErrorCode::kForbidden);
    CHECK((faults::count("open_beneath") == 0) == from_the_start);
  }
}

TEST_CASE("a download that cannot be opened says why and leaks nothing") {
  FaultFixture t;
  REQUIRE(t.f.replace("a", "x").ok());
  for (const auto& [os_error, code] : kErrnos) {
    faults::fail("open_beneath", os_error);
    CHECK(code_of(t.store.open_file("a")) == code);
    faults::fail("stat_fd", os_error);
    CHECK(code_of(t.store.open_file("a")) == code);
  }
  CHECK(t.store.open_file("a").ok());
}

TEST_CASE("a removal that fails says why") {
  FaultFixture t;
  REQUIRE(t.f.replace("d/a", "x").ok());
  for (const auto& [os_error, code] : kErrnos) {
    for (const char* operation : {"open_beneath", "stat_at", "unlink_at", "lock_byte"}) {
      if (operation == std::string_view("lock_byte") && os_error == EACCES) continue;  // "another holds it"
      faults::fail(operation, os_error);
      CHECK(code_of(t.store.remove("d/a", Durability::kNone)) == code);
    }
  }
  CHECK(content_of(t.f.root / "d" / "a") == "x");
  faults::fail("sync_all", EIO);
  CHECK(code_of(t.store.remove("d/a", Durability::kFull)) == ErrorCode::kIo);
}

TEST_CASE("a store that cannot be opened says why and leaves no session") {
  struct Case {
    const char* operation;
    int nth;
  };
  for (const auto& [operation, nth] : {Case{"open_at", 1}, Case{"access_at", 1}, Case{"make_directory_at", 1},
                                       Case{"open_beneath", 3}, Case{"open_beneath", 2}, Case{"stat_fd", 1},
                                       Case{"open_at", 2}, Case{"lock_exclusive", 1}, Case{"open_at", 4}}) {
    for (const auto& [os_error, code] : kErrnos) {
      faults::reset();
      TemporaryDirectory directory;
      const fs::path root = directory.path() / "root";
      INFO(operation << " " << nth << " " << os_error);
      faults::fail(operation, os_error, nth);
      CHECK(code_of(FileStore::open(root.string())) == code);
      if (fs::exists(root / ".forklift" / "parts")) CHECK(fs::is_empty(root / ".forklift" / "parts"));
    }
  }
  faults::reset();
}

TEST_CASE("a sweep that cannot read its directory says so, and one that cannot unlink goes on") {
  FaultFixture t;
  const fs::path dead = t.f.root / ".forklift" / "parts" / "dead";
  fs::create_directory(dead);
  write_file(dead / "1", "x");
  write_file(dead / "2", "x");
  const auto now = std::chrono::milliseconds(0);
  for (const char* operation : {"open_at", "open_directory", "next_entry"}) {
    faults::fail(operation, EIO);
    CHECK(code_of(t.store.sweep_parts(now)) == ErrorCode::kIo);
  }
  faults::fail("unlink_at", EIO);
  CHECK(t.store.sweep_parts(now).value() == 1);
  CHECK(t.store.sweep_parts(now).value() == 1);
  CHECK_FALSE(fs::exists(dead));
}

TEST_CASE("an upload into a session that somebody removed is an error of ours, not a missing file") {
  FaultFixture t;
  fs::remove_all(t.f.root / ".forklift" / "parts");
  CHECK(code_of(t.f.replace("a", "x")) == ErrorCode::kIo);
}

TEST_CASE("an upload whose directory vanishes before it is published is an error of ours") {
  FaultFixture t;
  faults::fail("rename_no_replace", ENOENT);
  CHECK(code_of(t.f.replace("a", "x")) == ErrorCode::kIo);
  CHECK(parts_in(t.f.root).empty());
}

TEST_CASE("an upload whose directory is removed before it is published makes it again") {
  for (const auto mode : {PublishMode::kReplace, PublishMode::kFresh, PublishMode::kCreateOnly}) {
    for (const auto& [operation, nth] : {std::pair{"rename_no_replace", 1}, {"make_directory_at", 2}}) {
      FaultFixture t;
      faults::fail(operation, ENOENT, nth);
      CHECK(t.f.put("x", {"d/e/f", mode}).ok());
    }
  }
  FaultFixture t;
  faults::fail_always("rename_no_replace", ENOENT);
  CHECK(code_of(t.f.replace("d/e", "x")) == ErrorCode::kIo);
  CHECK(visible_in(t.f.root).empty());
}

TEST_CASE("an upload that fails at its directories leaves none of them") {
  for (const auto& [operation, nth] : {std::pair{"rename_no_replace", 1}, {"make_directory_at", 2}}) {
    FaultFixture t;
    REQUIRE(t.f.replace("a/x", "x").ok());
    faults::fail(operation, ENOSPC, nth);
    CHECK(code_of(t.f.replace("a/b/c/d", "x")) == ErrorCode::kNoSpace);
    CHECK(visible_in(t.f.root) == std::vector<std::string>{"a", "a/x"});
  }
}

TEST_CASE("a parent that another upload makes at the same moment is taken as it is") {
  FaultFixture t;
  fs::create_directory(t.f.root / "d");
  faults::fail("open_beneath", ENOENT);
  faults::fail("open_at", ENOENT, 2);  // the first opens the part
  CHECK(t.f.replace("d/a", "x", Durability::kFull).ok());
  CHECK(faults::count("make_directory_at") == 1);
}

TEST_CASE("a deep tree is listed a step a directory, not the whole way down for each") {
  FaultFixture t;
  std::string name;
  for (int depth = 0; depth < 300; ++depth) name += "d/";
  REQUIRE(t.f.replace(name + "x", "x").ok());
  faults::forget_calls();
  CHECK(t.store.list(name.substr(0, 1), 10, "").value().files.size() == 1);
  CHECK(faults::count("open_at") == 301);
  CHECK(faults::count("open_beneath") == 1);  // the file
}

}  // namespace
}  // namespace forklift
