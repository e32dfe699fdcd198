#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// One request and its answer, as a line of the access log says it. Views must live until the call returns;
/// empty ones are written "-".
struct AccessEntry {
  std::string_view peer = {};    // address without port
  std::string_view method = {};  // empty with target: the head could not be read
  std::string_view target = {};
  int http_minor = 1;
  int status = 0;
  std::uint64_t body_bytes = 0;  // of the answer, as far as it was sent
  std::string_view referer = {};
  std::string_view user_agent = {};
  std::chrono::microseconds duration{0};
  std::string_view request_id = {};
  std::string_view strategy =
      {};               // that moved, or was to move, the file's bytes; empty: there is no such file
  std::time_t now = 0;  // when it was answered
};

/// The access log: combined log format, then microseconds, request id and strategy. Every byte that could end
/// a line or a quotation is written \xHH, so a client cannot forge a line. Lines are gathered and written
/// whole, at most PIPE_BUF bytes at a time and with O_APPEND, so that workers sharing a file or a pipe do not
/// mix them. One a worker, owned by its main.
///
/// The serving waits for no log. What a pipe or terminal does not take is kept for the next flush, up to
/// kKeptBytesMax; lines beyond that are dropped and counted, and the error log says how many once the reader
/// reads again. A write that fails (a full disk) loses the lines at hand and is counted.
class AccessLog {
 public:
  static constexpr std::size_t kKeptBytesMax = std::size_t{1} << 20;

  /// `path` "-": standard output. A file is made with mode 0640 less umask. A FIFO may be without a reader.
  static Result<AccessLog> open(const std::string& path);

  AccessLog(AccessLog&&) = default;
  AccessLog& operator=(AccessLog&&) = delete;
  /// Gives a slow reader half a second to take what is left.
  ~AccessLog();

  /// Appends a line; it is written by the next flush(), or before when many have gathered.
  void add(const AccessEntry& entry);

  /// At the end of a loop turn.
  void flush();

  /// After rotation: opens the path anew; on failure the old file stays in use.
  Result<void> reopen();

  std::uint64_t lost_writes() const { return lost_writes_; }
  std::uint64_t dropped_lines() const { return dropped_lines_; }

 private:
  AccessLog(std::string path, UniqueFd fd);
  int fd() const;
  void append_time(std::time_t now);
  void drop_line();

  std::string path_;
  UniqueFd file_;  // invalid: standard output
  std::string lines_;
  bool stuck_ = false;  // the last write left something
  std::time_t second_ = 0;
  std::string time_text_;
  std::uint64_t lost_writes_ = 0;
  std::uint64_t dropped_lines_ = 0;  // since it was last said
};

}  // namespace forklift
