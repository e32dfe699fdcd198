#include "common/errno_error.h"

#include <system_error>

namespace forklift {

ErrorCode code_of_errno(int os_error) {
  switch (os_error) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case ELOOP:
    case EXDEV:
      return ErrorCode::kForbidden;
    case ENAMETOOLONG:
      return ErrorCode::kNameTooLong;
    case EISDIR:
    case ENOTDIR:
    case ENOTEMPTY:
    case EBUSY:
    case ETXTBSY:
      return ErrorCode::kConflict;
    case EEXIST:
      return ErrorCode::kExists;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EFBIG:
    case EOVERFLOW:
      return ErrorCode::kFileTooBig;
    case EROFS:
      return ErrorCode::kReadOnly;
    case EMFILE:
    case ENFILE:
      return ErrorCode::kTooManyOpen;
    case ENOMEM:
    case ENOBUFS:
      return ErrorCode::kNoMemory;
    case ENOSYS:
    case EOPNOTSUPP:
      return ErrorCode::kUnsupported;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ETIMEDOUT:
    case ENOTCONN:
      return ErrorCode::kPeerGone;
    default:
      return ErrorCode::kIo;
  }
}

Error errno_error(const char* operation, int os_error) {
  return Error{code_of_errno(os_error), operation, os_error};
}

std::string sentence_of(const Error& error) {
  std::string sentence = error.operation;
  const std::size_t mark = error.limit >= 0 ? sentence.find('%') : sentence.npos;
  if (mark != sentence.npos) sentence.replace(mark, 1, std::to_string(error.limit));
  if (error.os_error != 0) sentence += ": " + std::generic_category().message(error.os_error);
  return sentence;
}

}  // namespace forklift
