#include "worker/upload/multipart_params.h"

#include <algorithm>

namespace forklift {

std::optional<HeaderParams::Param> HeaderParams::next() {
  if (malformed_) return std::nullopt;
  skip_white();
  if (rest_.empty()) return std::nullopt;
  if (rest_.front() != ';') return fail();
  rest_.remove_prefix(1);
  skip_white();
  if (rest_.empty()) return std::nullopt;  // a last ';' with nothing behind it is common
  const std::size_t key_size = rest_.find_first_of("=; \t\"");
  if (key_size == 0 || key_size == rest_.npos || rest_[key_size] != '=') return fail();
  Param param{rest_.substr(0, key_size), {}, false};
  rest_.remove_prefix(key_size + 1);
  param.quoted = !rest_.empty() && rest_.front() == '"';
  if (!param.quoted) {
    param.value = read_token();
    return param.value.empty() ? fail() : param;
  }
  std::optional<std::string> value = read_quoted();
  if (!value) return fail();
  param.value = *std::move(value);
  return param;
}

std::optional<HeaderParams::Param> HeaderParams::fail() {
  malformed_ = true;
  return std::nullopt;
}

void HeaderParams::skip_white() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
}

std::optional<std::string> HeaderParams::read_quoted() {
  std::string value;
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      return value;
    }
    const char next = i + 1 < rest_.size() ? rest_[i + 1] : '\0';
    const bool quote_follows = next == '"' && rest_.find('"', i + 2) != rest_.npos;
    if (rest_[i] == '\\' && (next == '\\' || quote_follows)) ++i;
    value += rest_[i];
  }
  return std::nullopt;
}

std::string HeaderParams::read_token() {
  const std::size_t size = std::min(rest_.find_first_of("; \t\""), rest_.size());
  std::string value(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return value;
}

}  // namespace forklift
