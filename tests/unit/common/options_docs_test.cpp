#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/options.h"
#include "support/catch.h"

using namespace forklift;

namespace {

std::filesystem::path docs_file() { return std::filesystem::path(FORKLIFT_SOURCE_DIR) / "docs/options.md"; }

}  // namespace

TEST_CASE("docs/options.md says what the option table says") {
  std::ifstream file(docs_file());
  std::ostringstream text;
  text << file.rdbuf();
  INFO("write it again with: test_common \"[docs]\"");
  CHECK(text.str() == options_markdown());
}

TEST_CASE("docs/options.md is written from the option table", "[.][docs]") {
  std::ofstream file(docs_file());
  file << options_markdown();
  REQUIRE(file.flush().good());
}
