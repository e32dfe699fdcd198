// A form whose disk fails while its files are published.

#include <cerrno>
#include <string>

#include "support/fault_file_ops.h"
#include "support/form_upload.h"

namespace forklift {
namespace {

using namespace testing;

/// A fixture that knows no fault yet, and leaves none.
struct FaultyFixture : ContractFixture {
  FaultyFixture() { faults::reset(); }
  ~FaultyFixture() { faults::reset(); }
};

std::string four_files() {
  std::string body;
  for (std::uint64_t i = 1; i <= 4; ++i) body += file_part("f", "f", body_of(1000, i));
  return body + closing();
}

TEST_CASE(
    "when a file of a form cannot be published, those before it are taken back and the reason is told") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const int nth : {1, 2, 4}) {
      INFO(strategy->name << " file " << nth);
      FaultyFixture f;
      {
        FormUpload upload(f, *strategy);
        faults::fail("rename_no_replace", ENOSPC, nth);
        run_form(f, upload, four_files());
        CHECK(upload.failed_with(ErrorCode::kNoSpace));
        CHECK(faults::count("rename_no_replace") == static_cast<std::size_t>(nth));
        CHECK(files_in(f.root).empty());
      }
      f.check_clean();
    }
  }
}

TEST_CASE(
    "when a file that is to be taken back cannot be removed, the reason that is told is the first one") {
  FaultyFixture f;
  FormUpload upload(f, *find_sink_strategy("blocking"));
  faults::fail("rename_no_replace", EDQUOT, 3);
  faults::fail("unlink_at", EIO);
  run_form(f, upload, four_files());
  CHECK(upload.failed_with(ErrorCode::kNoSpace));
}

TEST_CASE("a form whose disk fails in mid-file says why and leaves nothing") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    FaultyFixture f;
    {
      FormUpload upload(f, *strategy);
      faults::fail("write", EIO, 2);
      run_form(f, upload, file_part("a", "a", "x") + file_part("b", "b", body_of(5 * kSlabBytes)) + closing(),
               {5000});
      // Not every strategy writes by that call.
      CHECK((upload.done() || upload.failed_with(ErrorCode::kIo)));
      CHECK(files_in(f.root).size() == (upload.done() ? 2u : 0u));
    }
    f.check_clean();
  }
}

}  // namespace
}  // namespace forklift
