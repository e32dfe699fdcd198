#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/store_fixture.h"

namespace forklift {
namespace {

using namespace testing;
using Names = std::vector<std::string>;

Names names_of(const Listing& listing) {
  Names names;
  for (const auto& file : listing.files) names.push_back(file.name);
  return names;
}

/// However slow the machine is.
constexpr ListBounds kNoBounds{.entries = SIZE_MAX, .time = std::chrono::hours(24)};

Names list(const FileStore& store, std::string_view prefix = {}, std::size_t limit = 1000,
           std::string_view after = {}) {
  return names_of(store.list(prefix, limit, after, kNoBounds).value());
}

/// Every page of `limit`, one after the other.
Names all_pages(const FileStore& store, std::string_view prefix, std::size_t limit,
                const ListBounds& bounds = kNoBounds, std::size_t* pages = nullptr) {
  Names names;
  std::string after;
  while (true) {
    const auto page = store.list(prefix, limit, after, bounds).value();
    if (pages != nullptr) ++*pages;
    REQUIRE(page.files.size() <= limit);
    for (const auto& file : page.files) names.push_back(file.name);
    if (!page.truncated) return names;
    REQUIRE(page.next_after > after);
    after = page.next_after;
  }
}

void touch(const StoreFixture& f, const std::string& name) {
  fs::create_directories((f.root / name).parent_path());
  write_file(f.root / name, "x");
}

TEST_CASE("a listing is in the order of the whole names' bytes, through all directories") {
  const StoreFixture f;
  const Names sorted = {"a!b/c", "a-b", "a.txt", "a/b.d/e", "a/b/c", "a0", "b/z", "b/\xc3\xa9"};
  for (auto name = sorted.rbegin(); name != sorted.rend(); ++name) touch(f, *name);
  REQUIRE(std::is_sorted(sorted.begin(), sorted.end()));
  CHECK(list(f.store) == sorted);
  for (std::size_t limit = 1; limit <= sorted.size() + 1; ++limit)
    CHECK(all_pages(f.store, "", limit) == sorted);
}

TEST_CASE("a listing tells size, time and ETag of each file") {
  const StoreFixture f;
  REQUIRE(f.replace("d/a", "four").ok());
  const auto listing = f.store.list("", 10, "").value();
  REQUIRE(listing.files.size() == 1);
  CHECK_FALSE(listing.truncated);
  CHECK(listing.files[0].version.size == 4);
  CHECK(etag_of(listing.files[0].version) == etag_of(f.store.open_file("d/a").value()));
}

TEST_CASE("a listing is of a prefix and of what comes after a name, there or not") {
  const StoreFixture f;
  for (const char* name : {"a", "ab/c", "ab/d/e", "ab/d/f", "abc", "b"}) touch(f, name);
  CHECK(list(f.store, "ab") == Names{"ab/c", "ab/d/e", "ab/d/f", "abc"});
  CHECK(list(f.store, "ab/") == Names{"ab/c", "ab/d/e", "ab/d/f"});
  CHECK(list(f.store, "ab/d") == Names{"ab/d/e", "ab/d/f"});
  CHECK(list(f.store, "ab/d/e") == Names{"ab/d/e"});
  CHECK(list(f.store, "", 1000, "ab/d/e") == Names{"ab/d/f", "abc", "b"});
  CHECK(list(f.store, "", 1000, "ab/d/") == Names{"ab/d/e", "ab/d/f", "abc", "b"});
  CHECK(list(f.store, "", 1000, "ab/cc") == Names{"ab/d/e", "ab/d/f", "abc", "b"});
  CHECK(list(f.store, "ab/", 1000, "zz").empty());
  CHECK(list(f.store, "ab/", 1, "a") == Names{"ab/c"});
}

TEST_CASE("a prefix that no name has lists nothing and leads nowhere") {
  const StoreFixture f;
  touch(f, "a/b");
  touch(f, ".forklift/secret");
  fs::create_directories(f.directory.path() / "outside");
  write_file(f.directory.path() / "outside" / "x", "x");
  fs::create_directory_symlink(f.directory.path() / "outside", f.root / "link");
  for (const char* prefix : {"/", "../", "../outside/", "a//", "a/../", "./", ".forklift", ".forklift/",
                             ".forklift/parts/", "link", "link/", "a/b/", "none/", "a/\x01"}) {
    INFO(prefix);
    CHECK(list(f.store, prefix).empty());
  }
}

TEST_CASE(
    "a listing leaves out links, devices, what is the server's own and names that cannot be asked for") {
  const StoreFixture f;
  for (const char* name : {"a", "d/b", "upload/x", "download/x", "con\x01trol", "di\x02r/x"}) touch(f, name);
  fs::create_symlink("a", f.root / "link");
  fs::create_directory_symlink("d", f.root / "directory-link");
  fs::create_directory(f.root / "empty");
  REQUIRE(::mkfifo((f.root / "fifo").c_str(), 0600) == 0);
  const auto part = f.store.begin();
  CHECK(list(f.store) == Names{"a", "d/b"});
}

TEST_CASE("a page is full although more empty directories than are kept come first") {
  const StoreFixture f;
  for (int i = 0; i < 5000; ++i) fs::create_directory(f.root / ("d" + std::to_string(i)));
  touch(f, "d9/z");
  touch(f, "d998/x");
  CHECK(list(f.store, "", 1) == Names{"d9/z"});
  CHECK(list(f.store, "", 1000) == Names{"d9/z", "d998/x"});
}

TEST_CASE("a page of long names ends early and the next one goes on") {
  const StoreFixture f;
  const std::string directory = std::string(200, 'd') + '/' + std::string(200, 'e') + '/';
  const std::string tail(240, 'f');
  Names sorted;
  for (int i = 1000; i < 1900; ++i) sorted.push_back(directory + std::to_string(i) + tail);
  for (const auto& name : sorted) touch(f, name);
  const auto page = f.store.list("", 1000, "").value();
  CHECK(page.truncated);
  CHECK(page.files.size() == kPageNameBytesMax / sorted[0].size());
  CHECK(all_pages(f.store, "", 1000) == sorted);
}

/// As long as it lives, `more` descriptors may be opened.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t more) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const UniqueFd next(::open("/", O_PATH | O_CLOEXEC));
    const rlimit low{static_cast<rlim_t>(next.get()) + more, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE("a tree of any depth is listed with few directories open") {
  const StoreFixture f;
  Names sorted;
  std::string name;
  for (int depth = 0; depth < 300; ++depth) {
    name += "d/";
    if (depth % 7 == 0) sorted.push_back(name + "e/x");
  }
  sorted.push_back(name + "x");
  for (const auto& file : sorted) touch(f, file);
  std::sort(sorted.begin(), sorted.end());
  const DescriptorLimit few(10);
  CHECK(list(f.store) == sorted);
}

TEST_CASE("a page that has gone far ends, and the next goes on with the directory it ended before") {
  const StoreFixture f;
  Names sorted = {"b", "d07/k3/x", "d07/k3/y", "d07/k30", "d070", "d19/x", "z"};
  for (int i = 10; i < 50; ++i) fs::create_directories(f.root / ("d" + std::to_string(i)) / "a" / "b");
  for (const auto& name : sorted) touch(f, name);
  const ListBounds kBounds[] = {{.entries = 1},
                                {.entries = 50},
                                {.time = std::chrono::milliseconds(0), .directories_min = 1},
                                {.time = std::chrono::milliseconds(0), .directories_min = 10}};
  for (const auto& bounds : kBounds) {
    for (const std::size_t limit : {1, 3, 1000}) {
      std::size_t pages = 0;
      CHECK(all_pages(f.store, "", limit, bounds, &pages) == sorted);
      CHECK(pages >= 4);
      CHECK(pages <= 130 + sorted.size());
    }
  }
  CHECK(all_pages(f.store, "d07/k3", 1, kBounds[0]) == Names{"d07/k3/x", "d07/k3/y", "d07/k30"});
}

TEST_CASE("a page may end before there is a file, and then has somewhere to go on") {
  const StoreFixture f;
  for (const char* name : {"a/b", "c", "d"}) fs::create_directories(f.root / name);
  touch(f, "e/x");
  const auto page = f.store.list("", 10, "", {.entries = 1}).value();
  CHECK(page.files.empty());
  CHECK(page.truncated);
  CHECK(page.next_after == "a/b/");
  CHECK(names_of(f.store.list("", 10, "e/", {.entries = 1}).value()) == Names{"e/x"});
}

TEST_CASE("time ends no page that has read few directories") {
  const StoreFixture f;
  for (int i = 100; i < 150; ++i) touch(f, std::to_string(i) + "/x");
  CHECK_FALSE(f.store.list("", 1000, "", {.time = std::chrono::milliseconds(0)}).value().truncated);
  for (int i = 150; i < 200; ++i) touch(f, std::to_string(i) + "/x");
  CHECK(f.store.list("", 1000, "", {.time = std::chrono::milliseconds(0)}).value().truncated);
}

TEST_CASE("a listing that nobody wants any more ends in the midst of a directory") {
  const StoreFixture f;
  touch(f, "a");
  std::atomic<bool> cancelled{true};
  const auto page = f.store.list("", 10, "", {.cancelled = &cancelled});
  CHECK(code_of(page) == ErrorCode::kPeerGone);
  cancelled = false;
  CHECK(f.store.list("", 10, "", {.cancelled = &cancelled}).ok());
}

}  // namespace
}  // namespace forklift
