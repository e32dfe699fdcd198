#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/result.h"
#include "worker/upload/base64.h"

namespace forklift {

/// Reads the bytes that the inside of a JSON string stands for in base64. Escapes that stand for a character
/// of the alphabet ("\/" as PHP writes it, "\u002f") are undone on the way, a buffer at a time. Owned by
/// whoever owns the string, which must stay where it is.
class Base64Reader {
 public:
  /// `offset`: where the string stands in the body, for errors.
  Base64Reader(std::string_view inside, std::size_t offset, const Base64Codec& codec);

  /// Fills `out` (> 0 bytes), less only at the end. kBadBody with the offending byte's position in the body.
  Result<std::size_t> read(std::span<std::byte> out);

  bool at_end() const { return raw_.empty() && ready_.empty() && spill_.empty(); }

  /// What all reads together yield, if the string is sound; unknown where it holds escapes. Before the first.
  std::optional<std::uint64_t> size() const;

 private:
  void unescape_block();
  Error bad_base64(std::size_t fault) const;

  const Base64Codec& codec_;
  bool escaped_;
  std::string_view raw_;        // behind the block
  std::size_t block_offset_;    // in the body
  std::string_view block_raw_;  // what the block was before escapes were undone
  std::string_view block_;
  std::string_view ready_;  // the rest of the block: whole groups, but for the last block
  std::array<std::byte, 3> group_{};
  std::span<const std::byte> spill_;  // of a group that did not fit
  std::array<char, 8192> unescaped_;  // the block, where there are escapes
};

}  // namespace forklift
