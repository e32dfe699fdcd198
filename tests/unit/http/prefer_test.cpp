#include "worker/http/prefer.h"

#include <string>

#include "support/catch.h"

namespace forklift {
namespace {

constexpr Durability kNone = Durability::kNone;
constexpr Durability kData = Durability::kData;
constexpr Durability kFull = Durability::kFull;

TEST_CASE("a request may prefer a durability, among other preferences") {
  for (const char* prefer :
       {"durability=full", "Durability = full", "durability=\"full\"", "wait=10, durability=full;x=1",
        "foo=\"a, durability=none\", durability=full", "durability=full, durability=none",
        ",, durability=full ,", "foo=\"\\\",durability=none\",\tdurability=full"}) {
    INFO(prefer);
    CHECK(preferred_durability(prefer) == kFull);
  }
  CHECK(preferred_durability("durability=data") == kData);
  CHECK(preferred_durability("durability=none") == kNone);
}

TEST_CASE("what asks for no durability in our words asks for none") {
  for (const char* prefer : {"", ",", "durability", "durability=", "durability=fuller", "durability=FULL",
                             "=full", "xdurability=full", "respond-async; durability=full",
                             "foo=\"durability=full", "durability=\"", "durability=most, durability=full"}) {
    INFO(prefer);
    CHECK_FALSE(preferred_durability(prefer));
  }
}

TEST_CASE("a request gets more than the server's durability up to the limit, and never less") {
  CHECK(durability_of("durability=full", kNone, kFull) == kFull);
  CHECK(durability_of("durability=data", kNone, kFull) == kData);
  CHECK(durability_of("durability=full", kNone, kData) == kData);
  CHECK(durability_of("durability=full", kNone, kNone) == kNone);
  CHECK(durability_of("durability=none", kData, kFull) == kData);
  CHECK(durability_of("durability=data", kFull, kFull) == kFull);
  CHECK(durability_of("", kData, kFull) == kData);
  CHECK(durability_of("", kFull, kNone) == kFull);
}

TEST_CASE("the answer says which preference was honoured, and nothing of one that was not") {
  CHECK(preference_applied("durability=full", kFull) == "durability=full");
  CHECK(preference_applied("durability=data", kFull) == "durability=data");
  CHECK(preference_applied("durability=full", kData).empty());
  CHECK(preference_applied("durability=none", kNone) == "durability=none");
  CHECK(preference_applied("durability=none", kData).empty());
  CHECK(preference_applied("wait=1", kFull).empty());
}

}  // namespace
}  // namespace forklift
