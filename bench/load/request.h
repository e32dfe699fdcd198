#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/options.h"

namespace forklift::load {

/// What is sent, over and over. Owned by main, outlives every connection.
class Request {
 public:
  /// Reads the body file whole; the error is a sentence.
  static Result<Request, std::string> make(const Options& options);

  /// The head of the request `number`. With --unique no two are alike, also not those of another process.
  std::string head(std::uint64_t number) const;
  std::string_view body() const { return body_; }

 private:
  std::string before_number_;
  std::string after_number_;
  std::string body_;
  bool unique_ = false;
};

}  // namespace forklift::load
