// What the digest of a stored file promises.

#include "worker/download/file_digest.h"

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "support/strategy_fixture.h"

namespace forklift {
namespace {

using namespace testing;

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  REQUIRE(file.flush().good());
}

Digest digest_of(DigestAlgorithm algorithm, const std::string& bytes) {
  Hasher hasher(algorithm);
  hasher.add(std::as_bytes(std::span(bytes)));
  return hasher.digest().value();
}

TEST_CASE("a stored file digests to what its bytes do, whatever its size, and with its source gone") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{131073}, std::size_t{17} << 20}) {
    INFO(size << " bytes");
    ContractFixture f;
    const std::string body = body_of(size);
    write_file(f.root / "a", body);
    CountingResumer resumer;
    auto file = std::make_unique<OpenedFile>(f.store.open_file("a").value());
    const FileDigest digest(f.downloads, resumer, *file, DigestAlgorithm::kSha512);
    file.reset();
    CHECK_FALSE(digest.outcome());
    REQUIRE(f.turns.run_until([&] { return resumer.resumed == 1; }));
    REQUIRE(digest.outcome());
    CHECK(digest.outcome()->value() == digest_of(DigestAlgorithm::kSha512, body));
    f.check_clean();
  }
}

TEST_CASE("a file that became shorter has no digest") {
  ContractFixture f;
  write_file(f.root / "a", body_of(100000));
  const OpenedFile file = f.store.open_file("a").value();
  fs::resize_file(f.root / "a", 99999);
  CountingResumer resumer;
  const FileDigest digest(f.downloads, resumer, file, DigestAlgorithm::kSha256);
  REQUIRE(f.turns.run_until([&] { return resumer.resumed == 1; }));
  REQUIRE_FALSE(digest.outcome()->ok());
  CHECK(digest.outcome()->error().code == ErrorCode::kIo);
}

TEST_CASE("a file has the digest that it had when it was opened, whatever takes its name") {
  ContractFixture f;
  const std::string body = body_of(100000);
  write_file(f.root / "a", body);
  const OpenedFile file = f.store.open_file("a").value();
  write_file(f.root / "b", body_of(100000, 2));
  fs::rename(f.root / "b", f.root / "a");
  CountingResumer resumer;
  const FileDigest digest(f.downloads, resumer, file, DigestAlgorithm::kSha256);
  REQUIRE(f.turns.run_until([&] { return resumer.resumed == 1; }));
  CHECK(digest.outcome()->value() == digest_of(DigestAlgorithm::kSha256, body));
}

TEST_CASE("a file that was written into since it was opened has no digest") {
  ContractFixture f;
  write_file(f.root / "a", body_of(100000));
  const OpenedFile file = f.store.open_file("a").value();
  write_file(f.root / "a", body_of(100000, 2));
  fs::last_write_time(f.root / "a", fs::last_write_time(f.root / "a") + std::chrono::seconds(1));
  CountingResumer resumer;
  const FileDigest digest(f.downloads, resumer, file, DigestAlgorithm::kSha256);
  REQUIRE(f.turns.run_until([&] { return resumer.resumed == 1; }));
  REQUIRE_FALSE(digest.outcome()->ok());
  CHECK(digest.outcome()->error().code == ErrorCode::kIo);
}

TEST_CASE("the digest of a large file that nobody waits for any more is given up") {
  ContractFixture f;
  write_file(f.root / "a", "");
  fs::resize_file(f.root / "a", std::uintmax_t{1} << 40);
  CountingResumer resumer;
  const OpenedFile file = f.store.open_file("a").value();
  { const FileDigest digest(f.downloads, resumer, file, DigestAlgorithm::kSha256); }
  f.check_clean();
  CHECK(resumer.resumed == 0);
}

}  // namespace
}  // namespace forklift
