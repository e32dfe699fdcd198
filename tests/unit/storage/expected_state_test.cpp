#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/store_fixture.h"
#include "worker/storage/name_locks.h"

namespace forklift {
namespace {

using namespace testing;
using Kind = ExpectedState::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string etag_at(const FileStore& store, const std::string& name) {
  return etag_of(store.open_file(name).value());
}

Result<Stored> put_expecting(const StoreFixture& f, const std::string& name, const ExpectedState& expected,
                             std::string_view content = "new") {
  return f.put(content, {name, PublishMode::kReplace, expected});
}

TEST_CASE("an upload is published where what stands there is what it expects") {
  const StoreFixture f;
  const auto first = put_expecting(f, "a", {Kind::kAbsent}, "1");
  REQUIRE(first.ok());
  CHECK(etag_of(first->version) == etag_at(f.store, "a"));
  REQUIRE(put_expecting(f, "a", {Kind::kPresent}, "2").ok());
  const std::string second = etag_at(f.store, "a");
  REQUIRE(put_expecting(f, "a", {Kind::kOneOf, {"\"other\"", second}}, "3").ok());
  REQUIRE(put_expecting(f, "a", {Kind::kNoneOf, {second}}, "4").ok());
  REQUIRE(put_expecting(f, "b", {Kind::kNoneOf, {second}}, "5").ok());
  CHECK(content_of(f.root / "a") == "4");
  CHECK(content_of(f.root / "b") == "5");
  CHECK(f.store.remove("b", Durability::kNone, {Kind::kOneOf, {etag_at(f.store, "b")}}).ok());
  CHECK(visible_in(f.root) == std::vector<std::string>{"a"});
}

TEST_CASE("an upload that expects something else stores nothing") {
  const StoreFixture f;
  REQUIRE(f.replace("a", "old").ok());
  const std::string there = etag_at(f.store, "a");
  for (const auto& expected : {ExpectedState{Kind::kOneOf, {"\"other\"", "W/" + there}},
                               ExpectedState{Kind::kOneOf, {}}, ExpectedState{Kind::kNoneOf, {there}}}) {
    CHECK(code_of(put_expecting(f, "a", expected)) == ErrorCode::kPrecondition);
    CHECK(code_of(f.store.remove("a", Durability::kNone, expected)) == ErrorCode::kPrecondition);
  }
  CHECK(code_of(put_expecting(f, "a", {Kind::kAbsent})) == ErrorCode::kExists);
  for (const auto& expected : {ExpectedState{Kind::kPresent}, ExpectedState{Kind::kOneOf, {there}}}) {
    for (const char* name : {"b", "d/e/f"}) {
      CHECK(code_of(put_expecting(f, name, expected)) == ErrorCode::kPrecondition);
      CHECK(code_of(f.store.remove(name, Durability::kNone, expected)) == ErrorCode::kPrecondition);
    }
  }
  CHECK(content_of(f.root / "a") == "old");
  CHECK(visible_in(f.root) == std::vector<std::string>{"a"});
  CHECK(parts_in(f.root).empty());
}

TEST_CASE("what is no file is refused whatever is expected") {
  const StoreFixture f;
  fs::create_directory(f.root / "d");
  fs::create_symlink("d", f.root / "link");
  for (const Kind kind : {Kind::kAny, Kind::kAbsent, Kind::kPresent, Kind::kOneOf, Kind::kNoneOf}) {
    CHECK(code_of(put_expecting(f, "d", {kind})) == ErrorCode::kConflict);
    CHECK(code_of(put_expecting(f, "link", {kind})) == ErrorCode::kForbidden);
  }
}

TEST_CASE("a look tells which content stands at a name") {
  const StoreFixture f;
  const auto stored = f.replace("d/a", "x");
  REQUIRE(stored.ok());
  const auto there = f.store.look("d/a");
  REQUIRE(there.ok());
  REQUIRE(there->has_value());
  CHECK(etag_of(**there) == etag_of(stored->version));
  for (const char* name : {"b", "d/b", "none/b"}) {
    const auto none = f.store.look(name);
    REQUIRE(none.ok());
    CHECK_FALSE(none->has_value());
  }
  fs::create_symlink("d/a", f.root / "link");
  CHECK(code_of(f.store.look("d")) == ErrorCode::kConflict);
  CHECK(code_of(f.store.look("d/a/b")) == ErrorCode::kConflict);
  CHECK(code_of(f.store.look("link")) == ErrorCode::kForbidden);
  CHECK(code_of(f.store.look("../a")) == ErrorCode::kBadName);
}

TEST_CASE("no two generations of a name have one ETag, however fast they follow one another") {
  const StoreFixture f;
  std::set<std::string> etags;
  for (int i = 0; i < 500; ++i) {
    etags.insert(etag_of(f.replace("a", "content")->version));
    REQUIRE(f.store.remove("a", Durability::kNone).ok());
    etags.insert(etag_of(f.replace("a", "content")->version));
  }
  CHECK(etags.size() == 1000);
}

/// One of several processes that raise the number in "n" by one, each only from what it has read. Writes the
/// numbers it won into a file of its own.
int count_up(const fs::path& root, const fs::path& wins, int last) {
  const auto store = FileStore::open(root.string());
  if (!store) return 1;
  std::ofstream won(wins);
  while (true) {
    const auto file = store->open_file("n");
    char digits[16] = {};
    if (!file || ::pread(file->fd.get(), digits, sizeof digits - 1, 0) <= 0) return 2;
    const int number = std::stoi(digits) + 1;
    if (number > last) return 0;
    auto part = store->begin();
    const std::string content = std::to_string(number);
    if (!part || !part->write(bytes_of(content))) return 3;
    const UploadTarget target{"n", PublishMode::kReplace, {Kind::kOneOf, {etag_of(*file)}}};
    const auto stored = store->publish(*part, target, content.size(), Durability::kNone);
    if (stored.ok()) won << number << '\n' << std::flush;
    if (!stored && stored.error().code != ErrorCode::kPrecondition) return 4;
  }
}

TEST_CASE("of four processes that replace what they have read exactly one wins each generation") {
  constexpr int kLast = 500;
  const StoreFixture f;
  REQUIRE(f.replace("n", "0").ok());
  std::vector<pid_t> processes;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(count_up(f.root, f.directory.path() / std::to_string(i), kLast));
    processes.push_back(child);
  }
  for (const pid_t process : processes) {
    int status = 0;
    REQUIRE(::waitpid(process, &status, 0) == process);
    CHECK(status == 0);
  }
  std::multiset<int> won;
  for (int i = 0; i < 4; ++i) {
    std::ifstream wins(f.directory.path() / std::to_string(i));
    for (int number = 0; wins >> number;) won.insert(number);
  }
  CHECK(won.size() == kLast);
  CHECK(std::set<int>(won.begin(), won.end()).size() == kLast);
  CHECK(content_of(f.root / "n") == std::to_string(kLast));
}

/// Runs both at once.
template <typename First, typename Second>
void race(First first, Second second) {
  std::atomic<int> ready{0};
  const auto meet = [&] {
    ++ready;
    while (ready < 2) {
    }
  };
  std::thread other([&] {
    meet();
    second();
  });
  meet();
  first();
  other.join();
}

TEST_CASE("a conditional upload never overrides an unconditional one that it has not seen") {
  const StoreFixture f;
  const auto other = FileStore::open(f.root.string()).value();
  for (int round = 0; round < 1500; ++round) {
    REQUIRE(f.replace("a", "old").ok());
    auto part = other.begin().value();
    REQUIRE(part.write(bytes_of("unconditional")).ok());
    const ExpectedState expected{Kind::kOneOf, {etag_at(f.store, "a")}};
    bool stored = false;
    race([&] { (void)put_expecting(f, "a", expected); },
         [&] {
           stored = other.publish(part, {"a", PublishMode::kReplace}, 13, Durability::kNone).ok();
         });
    REQUIRE(stored);
    // Before it, or refused: in either order this is what is left.
    REQUIRE(content_of(f.root / "a") == "unconditional");
  }
}

TEST_CASE("a conditional upload never brings back a file that was removed") {
  const StoreFixture f;
  const auto other = FileStore::open(f.root.string()).value();
  for (int round = 0; round < 1500; ++round) {
    REQUIRE(f.replace("a", "old").ok());
    const ExpectedState expected{Kind::kOneOf, {etag_at(f.store, "a")}};
    race([&] { (void)put_expecting(f, "a", expected); }, [&] { (void)other.remove("a", Durability::kNone); });
    REQUIRE_FALSE(fs::exists(f.root / "a"));
  }
}

NameLocks locks_of(const fs::path& directory, milliseconds wait_max) {
  return NameLocks(UniqueFd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), wait_max);
}

TEST_CASE("a name that stays held is waited for so long and no longer, other names not at all") {
  TemporaryDirectory directory;
  const auto locks = locks_of(directory.path(), milliseconds(50));
  const auto held = locks.hold("a");
  REQUIRE(held.ok());
  const auto begin = steady_clock::now();
  CHECK(locks.hold("b").ok());
  CHECK(locks.hold("a2").ok());
  CHECK(code_of(locks.hold("a")) == ErrorCode::kBusy);
  CHECK(steady_clock::now() - begin >= milliseconds(50));
  CHECK(fs::file_size(directory.path() / "locks") == 0);
}

TEST_CASE("a process that dies holds no name any more") {
  TemporaryDirectory directory;
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto locks = locks_of(directory.path(), milliseconds(50));
    const auto held = locks.hold("a");
    (void)!::write(told[1], held.ok() ? "y" : "n", 1);
    ::pause();
  }
  char answer = 0;
  REQUIRE(::read(told[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  const auto locks = locks_of(directory.path(), milliseconds(50));
  const bool was_held = !locks.hold("a").ok();
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(was_held);
  CHECK(locks.hold("a").ok());
  ::close(told[0]);
  ::close(told[1]);
}

}  // namespace
}  // namespace forklift
