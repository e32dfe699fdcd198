#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"
#include "worker/upload/form.h"
#include "worker/upload/multipart_head.h"

namespace forklift {

/// CRLF "--" and the longest boundary (RFC 2046, 5.1.1).
inline constexpr std::size_t kFormHeldBytesMax = 4 + 70;

/// One thing a form said.
struct FormEvent {
  enum class Kind : std::uint8_t {
    kNothing,  // nothing yet
    kPart,     // a part begins: MultipartParser::part()
    kData,     // `data`, bytes of the part, are the first `used` of the input
    kHeld,     // `data`, bytes of the part before those: they looked like a boundary; the parser's own memory
    kPartEnd,
    kEnd,  // the closing boundary; what follows is epilogue
  };
  Kind kind;
  std::size_t used;  // of the input: give the rest next
  std::string_view data{};
};

/// Takes a multipart/form-data body apart (RFC 7578, RFC 2046 5.1.1): bytes in, events out, no I/O. How the
/// body is cut into inputs changes nothing but how its data is cut. Line ends are CRLF; what follows a
/// boundary on its line is white space or an error; a multipart inside a part is that part's bytes.
///
/// Each byte is looked at a bounded number of times, whatever the body: CR occurs in the delimiter only as
/// its first byte, so a match that fails can begin anew no earlier than where it failed. For the same reason
/// what is held back at the end of an input is a prefix of the delimiter, and only its length is kept.
///
/// Owned by one form sink. Errors (kBadBody, kBodyTooLarge) carry the byte of the body; after one, or after
/// end(), it is not used any more.
class MultipartParser {
 public:
  /// `boundary` as form_boundary() gives it, not empty.
  MultipartParser(std::string_view boundary, const FormLimits& limits);
  MultipartParser(const MultipartParser&) = delete;
  MultipartParser& operator=(const MultipartParser&) = delete;

  /// The next event. To be called again with the rest of the input, until it is empty. A kHeld has at most
  /// kFormHeldBytesMax.
  Result<FormEvent> next(std::string_view input);

  /// The body is over: was that a whole form?
  Result<void> end() const;

  /// Of the part that began last.
  const PartHead& part() const { return part_; }

 private:
  enum class State : std::uint8_t {
    kPreamble,
    kBoundary,
    kDash,
    kPadding,
    kLineFeed,
    kHead,
    kData,
    kEpilogue
  };

  Result<FormEvent> step(std::string_view input);
  FormEvent scan(std::string_view input);
  std::size_t find_delimiter(std::string_view input) const;
  Result<FormEvent> step_preamble(std::string_view input);
  FormEvent step_data(std::string_view input);
  Result<FormEvent> step_boundary(char next);
  Result<FormEvent> step_head(std::string_view input);
  Result<void> begin_part();
  Result<FormEvent> step_epilogue(std::string_view input);
  Error bad(const char* sentence) const;
  static Error too_large(const char* sentence, std::size_t limit, std::uint64_t position);

  FormLimits limits_;
  std::string delimiter_;  // CRLF "--" boundary
  State state_ = State::kPreamble;
  std::size_t matched_ = 0;  // of the delimiter, at the end of what was used
  std::size_t unseen_ = 0;   // of these: a CRLF that is not the part's, before its first byte
  std::string head_;         // of this part, so far
  std::size_t line_start_ = 0;
  std::uint64_t head_position_ = 0;
  PartHead part_;
  std::size_t parts_ = 0;
  std::size_t head_bytes_ = 0;  // of this part, with the white space behind its boundary
  std::size_t surround_bytes_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace forklift
