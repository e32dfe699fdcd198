#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http/request_head.h"

namespace forklift {

inline constexpr std::size_t kRequestIdBytesMax = 64;

/// The name of one request in the answer, the access log and the error log. A value without memory of its
/// own.
class RequestId {
 public:
  RequestId() = default;
  /// At most kRequestIdBytesMax bytes are kept.
  explicit RequestId(std::string_view text);

  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kRequestIdBytesMax> text_{};
  std::uint8_t size_ = 0;
};

/// Names the requests of one worker: a random prefix and a count ("5f1c09d2a6e8b374-1a"), so that no two
/// workers, and no two lives of one, use the same name. One a worker, owned by its server.
class RequestIds {
 public:
  explicit RequestIds(std::uint64_t prefix);

  /// With 64 random bits from getrandom(2).
  static RequestIds random();

  /// A new name: for a request whose head could not be read.
  RequestId next();

  /// The client's X-Request-Id where it has 1 to 64 bytes of visible ASCII, else a new name.
  RequestId of(const RequestHead& head);

 private:
  std::uint64_t prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace forklift
