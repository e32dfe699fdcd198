#include "worker/http/request_id.h"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace forklift {
namespace {

constexpr std::size_t kPrefixDigits = 16;

bool is_sane(std::string_view id) {
  return !id.empty() && id.size() <= kRequestIdBytesMax &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

RequestId::RequestId(std::string_view text)
    : size_(static_cast<std::uint8_t>(std::min(text.size(), kRequestIdBytesMax))) {
  std::copy_n(text.data(), size_, text_.data());
}

RequestIds::RequestIds(std::uint64_t prefix) : prefix_(prefix) {}

RequestIds RequestIds::random() {
  std::uint64_t prefix = 0;
  if (getrandom(&prefix, sizeof prefix, 0) != sizeof prefix) {
    prefix = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  }
  return RequestIds(prefix);
}

RequestId RequestIds::next() {
  char text[2 * kPrefixDigits + 1];
  for (std::size_t i = 0; i < kPrefixDigits; ++i) {
    text[i] = "0123456789abcdef"[prefix_ >> (60 - 4 * i) & 15];
  }
  text[kPrefixDigits] = '-';
  const char* end = std::to_chars(text + kPrefixDigits + 1, text + sizeof text, ++count_, 16).ptr;
  return RequestId(std::string_view(text, static_cast<std::size_t>(end - text)));
}

RequestId RequestIds::of(const RequestHead& head) {
  const std::string_view given = head.field("X-Request-Id");
  return is_sane(given) ? RequestId(given) : next();
}

}  // namespace forklift
