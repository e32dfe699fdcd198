#include "worker/http/problem.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "support/catch.h"

namespace forklift {

TEST_CASE("every error code has its status and its type") {
  const auto has = [](ErrorCode code, int status, std::string_view type) {
    const Problem problem = problem_of(Error{code, "openat2", 0});
    INFO(type);
    CHECK(problem.status == status);
    CHECK(problem.type == type);
    CHECK(problem.detail.back() == '.');
    CHECK(reason_phrase(problem.status) != "Unknown");
  };
  has(ErrorCode::kNotFound, 404, "not-found");
  has(ErrorCode::kBadName, 400, "name-bad");
  has(ErrorCode::kPrecondition, 412, "precondition");
  has(ErrorCode::kBusy, 503, "busy");
  has(ErrorCode::kNameTooLong, 400, "name-too-long");
  has(ErrorCode::kForbidden, 403, "forbidden");
  has(ErrorCode::kNotRegular, 403, "not-regular");
  has(ErrorCode::kReservedName, 409, "name-reserved");
  has(ErrorCode::kConflict, 409, "conflict");
  has(ErrorCode::kExists, 412, "exists");
  has(ErrorCode::kNameTaken, 409, "name-taken");
  has(ErrorCode::kNoSpace, 507, "no-space");
  has(ErrorCode::kFileTooBig, 413, "file-too-big");
  has(ErrorCode::kReadOnly, 503, "read-only");
  has(ErrorCode::kTooManyOpen, 503, "too-many-open");
  has(ErrorCode::kNoMemory, 503, "no-memory");
  has(ErrorCode::kUnsupported, 501, "unsupported");
  has(ErrorCode::kPeerGone, 400, "client-gone");
  CHECK(problem_of(Error{ErrorCode::kDigestMismatch, "Not this."}).type ==
        std::string_view("digest-mismatch"));
  has(ErrorCode::kIo, 500, "io");
}

TEST_CASE("a problem of the server names the step that failed, one of the client does not") {
  CHECK(problem_of(Error{ErrorCode::kIo, "fdatasync", EIO}).detail ==
        "The server's storage failed. (fdatasync: Input/output error)");
  CHECK(problem_of(Error{ErrorCode::kForbidden, "openat2", EACCES}).detail.find("openat2") ==
        std::string::npos);
}

TEST_CASE("a problem with a limit names its number, and what it limits") {
  CHECK(problem_of(Error{ErrorCode::kBodyTooLarge, "More than % parts.", 0, 7, 1000}).detail ==
        "More than 1000 parts. (byte 7 of the body)");
  CHECK(problem_of(Error{ErrorCode::kTooManyOpen, "Forms hold % files.", 0, -1, 16}).detail ==
        "Forms hold 16 files.");
  CHECK(problem_of(Error{ErrorCode::kBodyTooLarge, "100% full."}).detail == "100% full.");
}

TEST_CASE("a problem is one line, with its end") {
  const std::string json = problem_json({404, "not-found", "No\nsuch file.", {}}, "id");
  CHECK(json.find('\n') == json.size() - 1);
}

TEST_CASE("a problem is told as RFC 9457 says") {
  const Problem problem{409, "name-reserved", "Not \"this\".", {}};
  const auto json = nlohmann::json::parse(problem_json(problem, "id-1"));
  CHECK(json["type"] == "urn:forklift:problem:name-reserved");
  CHECK(json["title"] == "Conflict");
  CHECK(json["status"] == 409);
  CHECK(json["detail"] == "Not \"this\".");
  CHECK(json["instance"] == "id-1");
  CHECK_FALSE(nlohmann::json::parse(problem_json(problem, "")).contains("instance"));
}

}  // namespace forklift
