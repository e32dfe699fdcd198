#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "common/config.h"

namespace forklift {

/// What one call of Base64Codec::decode did. `fault` is the offset in its text of the first byte that is
/// wrong; the size of the text where the end itself comes too early.
struct Base64Step {
  static constexpr std::size_t kNoFault = static_cast<std::size_t>(-1);

  std::size_t consumed = 0;  // of the text, whole groups
  std::size_t written = 0;
  std::size_t fault = kNoFault;

  bool ok() const { return fault == kNoFault; }
};

/// Decodes standard base64 (RFC 4648, section 4), strictly: no other alphabet, no white space, the padding
/// there and right, its bits zero. Every codec accepts the same texts, and finds the same fault in the
/// others. Constant, without state; lives as long as the program.
class Base64Codec {
 public:
  virtual const char* name() const = 0;

  /// Decodes as many whole groups of four as `out` has room for at three bytes each; writes nothing beyond
  /// `out`. `last`: the text ends here; before that it may be cut anywhere.
  Base64Step decode(std::string_view text, std::span<std::byte> out, bool last) const;

 protected:
  ~Base64Codec() = default;

 private:
  /// Decodes `groups` groups without padding. Returns how many stand before the first faulty one; what is
  /// written for later ones does not count.
  virtual std::size_t decode_groups(const char* text, std::size_t groups, std::byte* out) const = 0;
};

/// The codec for this CPU. kAuto: ours where the CPU has vectors for it, else libb64.
const Base64Codec& base64_codec(Base64Choice choice);

/// Every codec this CPU can run, the portable one first: they are tested against each other.
std::span<const Base64Codec* const> base64_codecs();

}  // namespace forklift
