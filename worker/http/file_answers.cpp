#include "worker/http/file_answers.h"

#include <algorithm>
#include <utility>

namespace forklift {

namespace {

constexpr std::string_view kFields =
    "Accept-Ranges: bytes\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: sandbox\r\n";

/// Visible ASCII and spaces (RFC 9110, 5.5).
bool may_be_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return byte >= ' ' && byte <= '~'; });
}

}  // namespace

FileAnswers::FileAnswers(MediaTypes types, std::string_view cache_control) : types_(std::move(types)) {
  if (!cache_control.empty()) cache_control_ = "Cache-Control: " + std::string(cache_control) + "\r\n";
  fields_ = std::string(kFields) + cache_control_;
}

Result<FileAnswers, std::string> FileAnswers::of(const Config& config) {
  if (!may_be_value(config.cache_control)) {
    return std::string("--cache-control: a header's value has visible ASCII characters and spaces only");
  }
  return FileAnswers(MediaTypes::load(), config.cache_control);
}

}  // namespace forklift
