// What a form promises whose files keep their names.

#include <fcntl.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "support/form_upload.h"
#include "worker/storage/name_locks.h"

namespace forklift {
namespace {

using namespace testing;

void replace(const fs::path& path, const std::string& content) {
  const fs::path other = path.string() + ".new";
  std::ofstream(other, std::ios::binary) << content;
  fs::rename(other, path);
}

std::unique_ptr<FormUpload> named_form(StrategyFixture& f, const SinkStrategy& strategy) {
  return std::make_unique<FormUpload>(f, strategy, FormLimits{}, kFormBoundary,
                                      UploadTarget{"d", PublishMode::kCreateOnly});
}

std::string form_of(std::initializer_list<const char*> names) {
  std::string body;
  for (const char* name : names) body += file_part("f", name, "of the form");
  return body + closing();
}

TEST_CASE("of a form with a name that is taken nothing stays, and what had the name does") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    INFO(strategy->name);
    ContractFixture f;
    fs::create_directory(f.root / "d");
    replace(f.root / "d/c", "theirs");
    {
      const auto upload = named_form(f, *strategy);
      run_form(f, *upload, form_of({"a", "b", "c"}));
      CHECK(upload->failed_with(ErrorCode::kNameTaken));
    }
    f.check_clean();
    CHECK(files_in(f.root) == std::vector<std::string>{"d/c"});
    CHECK(content_of(f.root / "d/c") == "theirs");
  }
}

TEST_CASE("a form that is taken back leaves what others have put in the place of its files meanwhile") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const bool destroyed : {false, true}) {
      INFO(strategy->name << (destroyed ? " destroyed" : ""));
      ContractFixture f;
      fs::create_directory(f.root / "d");
      replace(f.root / "d/c", "theirs");
      const fs::path own = f.root / ".forklift";
      const NameLocks locks(UniqueFd(::open(own.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
      auto lock = std::make_optional(locks.hold("d/b"));  // the first to be taken back
      auto upload = named_form(f, *strategy);
      const std::string body = form_of({"a", "b", "c"});
      upload->write(body, {kSlabBytes});
      REQUIRE(f.turns.run_until([&] { return fs::exists(f.root / "d/b"); }));
      REQUIRE_FALSE(upload->over());
      for (const char* name : {"d/a", "d/b"}) replace(f.root / name, "theirs");
      if (destroyed) upload.reset();
      lock.reset();
      REQUIRE(f.turns.run_until([&] { return upload == nullptr || upload->over(); }));
      CHECK((destroyed || upload->failed_with(ErrorCode::kNameTaken)));
      upload.reset();
      f.check_clean();
      for (const char* name : {"d/a", "d/b", "d/c"}) CHECK(content_of(f.root / name) == "theirs");
    }
  }
}

}  // namespace
}  // namespace forklift
