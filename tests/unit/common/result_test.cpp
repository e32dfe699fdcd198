#include "common/result.h"

#include <memory>
#include <string>

#include "common/errno_error.h"
#include "support/catch.h"

using namespace forklift;

TEST_CASE("a result holds a value or an error, never both") {
  const Result<int> value = 7;
  CHECK(value.ok());
  CHECK(*value == 7);
  const Result<int> error = Error{ErrorCode::kNotFound, "open", ENOENT};
  CHECK_FALSE(error);
  CHECK(error.error().code == ErrorCode::kNotFound);
  CHECK_THROWS(error.value());
}

TEST_CASE("a result gives its value away by move") {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = *std::move(made);
  CHECK(*taken == 3);
}

TEST_CASE("a result of nothing is good unless it holds an error") {
  const Result<std::string, int> text = std::string("x");
  CHECK(text->size() == 1);
  const Result<void, std::string> failed = std::string("why");
  CHECK_FALSE(failed.ok());
  CHECK(failed.error() == "why");
  CHECK(Result<void, std::string>().ok());
}

TEST_CASE("errno becomes the code a caller can act on") {
  CHECK(code_of_errno(ENOENT) == ErrorCode::kNotFound);
  CHECK(code_of_errno(ENOSPC) == ErrorCode::kNoSpace);
  CHECK(code_of_errno(EDQUOT) == ErrorCode::kNoSpace);
  CHECK(code_of_errno(ELOOP) == ErrorCode::kForbidden);
  CHECK(code_of_errno(EXDEV) == ErrorCode::kForbidden);
  CHECK(code_of_errno(EISDIR) == ErrorCode::kConflict);
  CHECK(code_of_errno(EEXIST) == ErrorCode::kExists);
  CHECK(code_of_errno(EMFILE) == ErrorCode::kTooManyOpen);
  CHECK(code_of_errno(EPIPE) == ErrorCode::kPeerGone);
  CHECK(code_of_errno(EROFS) == ErrorCode::kReadOnly);
  CHECK(code_of_errno(EIO) == ErrorCode::kIo);
  CHECK(code_of_errno(0) == ErrorCode::kIo);
}

TEST_CASE("an error of a system call keeps errno and the call's name") {
  errno = ENAMETOOLONG;
  const Error error = errno_error("openat");
  CHECK(error.code == ErrorCode::kNameTooLong);
  CHECK(error.os_error == ENAMETOOLONG);
  CHECK(std::string(error.operation) == "openat");
}
