#pragma once

#include "common/result.h"

namespace forklift {

class FileStore;

/// Whether a mechanism works here: asks the kernel and the store's file system by doing it once, with a part
/// that it throws away. An error says what is missing. Blocks; worker's main, before the loop turns.
using Probe = Result<void>(const FileStore& store);

/// What ran out for the moment says nothing about whether a mechanism works.
inline bool says_missing(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNoSpace:
    case ErrorCode::kFileTooBig:
    case ErrorCode::kTooManyOpen:
    case ErrorCode::kNoMemory:
    case ErrorCode::kReadOnly:
      return false;
    default:
      return true;
  }
}

/// Of mechanisms that every Linux this runs on has.
inline Result<void> works_everywhere(const FileStore&) { return {}; }

}  // namespace forklift
