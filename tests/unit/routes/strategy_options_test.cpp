#include <string>

#include "common/option_table.h"
#include "support/catch.h"
#include "worker/download/strategies.h"
#include "worker/upload/strategies.h"

namespace forklift {
namespace {

void name(std::string& words, std::string_view word) {
  if (!words.empty()) words += '|';
  words += word;
}

TEST_CASE("the options take each strategy that serves the general routes, and no other") {
  std::string uploads;
  for (const SinkStrategy& strategy : sink_strategies()) {
    if (strategy.kept) name(uploads, strategy.name);
  }
  std::string downloads;
  for (const SourceStrategy& strategy : source_strategies()) name(downloads, strategy.name);
  CHECK(find_option("upload-strategy")->value == uploads);
  CHECK(find_option("download-strategy")->value == downloads);
}

}  // namespace
}  // namespace forklift
