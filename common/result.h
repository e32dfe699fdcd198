#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

namespace forklift {

/// What went wrong, in the words a caller can act on. errno becomes one of these in one place
/// (errno_error.h), and one of these becomes an HTTP status in one place (http/problem.h).
enum class ErrorCode : std::uint8_t {
  kNotFound,      // no such file
  kBadName,       // a name that no file here may have (empty part, "..", NUL, control character)
  kNameTooLong,   // a part over 255 bytes, or a path over the system's limit
  kForbidden,     // the system, or the walls around the root, refuse it (symlink, permission)
  kNotRegular,    // a device, pipe or socket stands there
  kReservedName,  // the name belongs to the server
  kConflict,      // something of another kind stands there (a directory, a file as a parent)
  kExists,        // create-only, and it exists
  kNameTaken,     // a file of a form has a name that another has
  kPrecondition,  // what stands there is not what the request expected
  kBusy,          // another held it for too long
  kNoSpace,       // disk or quota is full
  kFileTooBig,    // the file system cannot hold a file of this size
  kReadOnly,      // the file system is mounted read-only
  kTooManyOpen,   // descriptors ran out
  kNoMemory,
  kUnsupported,     // this kernel or file system lacks the mechanism
  kBadBody,         // the request body is not what its type says; `operation` is the sentence
  kBodyTooLarge,    // the request body, or a part of it, is over a limit; `operation` is the sentence
  kDigestMismatch,  // the request body is not what it was said to digest to; `operation` is the sentence
  kPeerGone,        // the client closed or reset the connection
  kIo,              // anything else the system says
};

/// An operation that failed. A small value, never thrown. `operation` is a string literal, the name of the
/// system call or step; `os_error` is errno, or 0 where the system said nothing; `position` is the byte of
/// the request body that was wrong, counted from 0, where that can be told. `limit` is what was exceeded,
/// where that is a number: `operation` is a sentence then, with a '%' for it.
struct Error {
  ErrorCode code;
  const char* operation;
  int os_error = 0;
  std::int64_t position = -1;
  std::int64_t limit = -1;
};

/// A value of T, or why there is none. Reading the wrong half is a broken invariant (std::variant throws,
/// nobody catches, the worker ends and is replaced).
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

/// The outcome of something that yields nothing.
template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const E& error() const { return error_.value(); }

 private:
  std::optional<E> error_;
};

}  // namespace forklift
