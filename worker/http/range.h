#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

#include "worker/http/preconditions.h"
#include "worker/http/request_head.h"

namespace forklift {

/// Bytes of a file, both ends included, as Content-Range counts them (RFC 9110, 14.4).
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

/// What part of a file an answer carries. Plain data.
struct RangeChoice {
  enum class Kind : std::uint8_t {
    kWhole,          // 200: no Range, or one that is to be ignored
    kSingle,         // 206 with Content-Range; ranges.front()
    kSeveral,        // 206, multipart/byteranges (byteranges.h): at least two
    kUnsatisfiable,  // 416 with Content-Range: bytes */size
  };

  Kind kind = Kind::kWhole;
  std::vector<ByteRange> ranges = {};  // disjoint, inside the file, in the order they were asked for
};

/// Ranges that overlap, touch, or leave out less than this are sent as one: a part's head costs as much
/// (RFC 9110, 15.3.7.2).
inline constexpr std::uint64_t kRangeGapMin = 80;

/// What still stands apart beyond this is taken for an attack, and Range is ignored (14.2), as Apache's
/// MaxRanges and nginx's max_ranges do it. Viewers and download managers ask for a handful.
inline constexpr std::size_t kRangesMax = 16;

/// Judges the value of Range for a file of `size` bytes. O(n log n) in its length. Ignored are: other units
/// than bytes, anything malformed or reversed ("5-2"), more than `ranges_max` ranges that stand apart; and
/// every Range of an empty file, which has nothing to leave out: 200 tells a client that resumes that its
/// bytes are void, where many take 416 for "you have it all". Numbers too large to hold are beyond the end.
RangeChoice parse_range(std::string_view value, std::uint64_t size, std::size_t ranges_max = kRangesMax);

/// If-Range: whether the client's bytes are of the file as it is (13.1.5): the same strong tag, or exactly
/// its date, where that is a strong validator: long enough before `now`, which is no later than the answer's
/// Date (8.8.2.2). What can't be read is not.
bool if_range_holds(std::string_view value, const Validators& current, std::time_t now);

/// Range and If-Range of a request, to be asked after judge_preconditions. GET alone: a HEAD has no ranges
/// (14.2), it tells of the whole file.
RangeChoice choose_range(const RequestHead& head, std::uint64_t size, const Validators& current,
                         std::time_t now);

}  // namespace forklift
