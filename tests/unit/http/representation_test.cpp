#include "worker/http/representation.h"

#include <string>

#include "support/catch.h"

namespace forklift {
namespace {

Stored stored_as(std::string name, std::string_view written_by = {}) {
  return {std::move(name), 3, false, Durability::kData, false, {}, written_by};
}

}  // namespace

TEST_CASE("the answer to an upload says where it is, how long, how durable, and what wrote it") {
  CHECK(stored_json(stored_as("a/b"), "splice") ==
        "{\"file_path\": \"a/b\", \"size\": 3, \"durability\": \"data\", \"strategy\": \"splice\"}\n");
  CHECK(stored_json({{}, 3, false, Durability::kNone, true}, "memory") ==
        "{\"file_path\": null, \"size\": 3, \"durability\": \"memory\", \"strategy\": \"memory\"}\n");
}

TEST_CASE("a strategy that another stood in for is not named") {
  CHECK(strategy_of(stored_as("a"), "splice") == "splice");
  CHECK(strategy_of(stored_as("a", "blocking"), "splice") == "blocking");
  CHECK(stored_json(stored_as("a", "blocking"), "splice").find("splice") == std::string::npos);
}

TEST_CASE("every file of a form has the strategy that wrote it") {
  const FormContent form{{{"file", "x", stored_as("a")}, {"other", "y", stored_as("b", "pool")}},
                         {{"title", "t"}}};
  CHECK(form_json(form, "whole") ==
        "{\"file_path\": \"a\", \"size\": 3, \"durability\": \"data\", \"strategy\": \"whole\", \"files\": ["
        "{\"field\": \"file\", \"filename\": \"x\", \"file_path\": \"a\", \"size\": 3, \"durability\": "
        "\"data\", \"strategy\": \"whole\"}, "
        "{\"field\": \"other\", \"filename\": \"y\", \"file_path\": \"b\", \"size\": 3, \"durability\": "
        "\"data\", \"strategy\": \"pool\"}], \"fields\": [{\"name\": \"title\", \"value\": \"t\"}]}\n");
}

}  // namespace forklift
