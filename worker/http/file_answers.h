#pragma once

#include <string>
#include <string_view>

#include "common/config.h"
#include "common/result.h"
#include "worker/http/media_types.h"

namespace forklift {

/// What the answers about stored files have in common, put together once. Made in the worker's main; outlives
/// every connection.
///
/// Nobody knows what people upload, so a browser must take it for nothing else than its type says (nosniff),
/// and a page among it runs without scripts and in an origin of its own (sandbox).
class FileAnswers {
 public:
  FileAnswers(MediaTypes types, std::string_view cache_control);

  /// With the system's media types. The error is a sentence: --cache-control is no header's value.
  static Result<FileAnswers, std::string> of(const Config& config);

  /// For Content-Type; `name` may be empty. Valid as long as this.
  std::string_view type_of(std::string_view name) const { return types_.of(name); }

  /// Whole header lines of an answer with a file's bytes, and of a 304 (RFC 9110, 15.4.5).
  std::string_view fields() const { return fields_; }
  std::string_view fields_of_304() const { return cache_control_; }

 private:
  MediaTypes types_;
  std::string cache_control_;
  std::string fields_;
};

}  // namespace forklift
