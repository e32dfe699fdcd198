// Which of the uploads a worker keeps.

#include <string>

#include "support/strategy_fixture.h"
#include "worker/upload/form.h"
#include "worker/upload/keep.h"

namespace forklift {
namespace {

using namespace testing;

Stored store_one(ContractFixture& f) {
  auto part = f.store.begin();
  REQUIRE(part.ok());
  return f.store.publish(*part, {"uploads", PublishMode::kFresh}, 0, Durability::kNone).value();
}

std::size_t files_of(ContractFixture& f) { return visible_in(f.root).size() - 1; }

TEST_CASE("a keeper keeps the newest files and removes the others") {
  ContractFixture f;
  Keeper keeper(f.store, f.disk, 3);
  std::vector<Stored> stored;
  for (int i = 0; i < 200; ++i) {
    stored.push_back(store_one(f));
    keeper.published(stored.back());
  }
  REQUIRE(f.turns.run_until([&] { return files_of(f) == 3; }));
  REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
  for (std::size_t i = 197; i < 200; ++i) CHECK(fs::exists(f.root / stored[i].file_path));
}

TEST_CASE("a keeper of all removes nothing") {
  ContractFixture f;
  Keeper keeper(f.store, f.disk, 0);
  for (int i = 0; i < 5; ++i) keeper.published(store_one(f));
  CHECK(f.quiet());
  CHECK(files_of(f) == 5);
}

TEST_CASE("a keeper goes on past a file that a client removed") {
  ContractFixture f;
  Keeper keeper(f.store, f.disk, 1);
  const Stored first = store_one(f);
  fs::remove(f.root / first.file_path);
  keeper.published(first);
  for (int i = 0; i < 3; ++i) keeper.published(store_one(f));
  REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
  CHECK(files_of(f) == 1);
}

TEST_CASE("a keeper counts every file of a form, and nothing that lay in memory") {
  ContractFixture f;
  Keeper keeper(f.store, f.disk, 2);
  FormContent form;
  for (int i = 0; i < 3; ++i) form.files.push_back({"file", "name", store_one(f)});
  keeper.published(form);
  keeper.published(Stored{{}, 5, false, Durability::kNone, true});
  REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
  CHECK(files_of(f) == 2);
  CHECK_FALSE(fs::exists(f.root / form.files.front().stored.file_path));
}

TEST_CASE("a keeper that goes while it removes leaves the removal to run") {
  ContractFixture f;
  {
    Keeper keeper(f.store, f.disk, 1);
    keeper.published(store_one(f));
    keeper.published(store_one(f));
  }
  REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
  CHECK(files_of(f) == 1);
}

}  // namespace
}  // namespace forklift
