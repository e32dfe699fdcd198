#include "worker/http/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "common/errno_error.h"
#include "common/log.h"
#include "common/ready_write.h"

namespace forklift {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr std::size_t kGatheredBytes = std::size_t{4} * PIPE_BUF;

void append_escaped(std::string& out, std::string_view text) {
  if (text.empty()) out += '-';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7E || c == '"' || c == '\\') {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += " \"";
  append_escaped(out, text);
  out += '"';
}

void append_request_line(std::string& out, const AccessEntry& entry) {
  if (entry.method.empty()) return append_quoted(out, {});
  out += " \"";
  append_escaped(out, entry.method);
  out += ' ';
  append_escaped(out, entry.target);
  out += " HTTP/1." + std::to_string(entry.http_minor) + '"';
}

/// O_NONBLOCK is for a FIFO, which would wait for a reader (fifo(7)); with O_RDWR it needs none.
Result<UniqueFd> open_file(const std::string& path) {
  if (path == "-") return UniqueFd();
  constexpr int kFlags = O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  UniqueFd fd(::open(path.c_str(), O_WRONLY | kFlags, 0640));
  if (!fd && errno == ENXIO) fd = UniqueFd(::open(path.c_str(), O_RDWR | kFlags, 0640));
  if (!fd) return errno_error("open access log");
  return fd;
}

/// The longest run of whole lines that a pipe takes at once, or the first line.
std::string_view first_piece(std::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines;
  std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  if (end == std::string_view::npos) end = lines.find('\n');
  return lines.substr(0, end + 1);
}

}  // namespace

AccessLog::AccessLog(std::string path, UniqueFd fd) : path_(std::move(path)), file_(std::move(fd)) {}

Result<AccessLog> AccessLog::open(const std::string& path) {
  auto fd = open_file(path);
  if (!fd) return fd.error();
  return AccessLog(path, *std::move(fd));
}

Result<void> AccessLog::reopen() {
  flush();
  auto fd = open_file(path_);
  if (!fd) return fd.error();
  file_ = *std::move(fd);
  return {};
}

int AccessLog::fd() const { return file_ ? file_.get() : STDOUT_FILENO; }

void AccessLog::append_time(std::time_t now) {
  if (now != second_ || time_text_.empty()) {
    std::tm local{};
    localtime_r(&now, &local);
    char text[64];
    time_text_.assign(text, std::strftime(text, sizeof text, " [%d/%b/%Y:%H:%M:%S %z]", &local));
    second_ = now;
  }
  lines_ += time_text_;
}

void AccessLog::add(const AccessEntry& entry) {
  const std::size_t gathered = lines_.size();
  append_escaped(lines_, entry.peer);
  lines_ += " - -";
  append_time(entry.now);
  append_request_line(lines_, entry);
  lines_ += ' ' + std::to_string(entry.status) + ' ' + std::to_string(entry.body_bytes);
  append_quoted(lines_, entry.referer);
  append_quoted(lines_, entry.user_agent);
  lines_ += ' ' + std::to_string(entry.duration.count()) + ' ';
  append_escaped(lines_, entry.request_id);
  lines_ += ' ';
  append_escaped(lines_, entry.strategy);
  lines_ += '\n';
  if (lines_.size() > kKeptBytesMax) {
    lines_.resize(gathered);
    drop_line();
  } else if (lines_.size() > kGatheredBytes && !stuck_) {
    flush();
  }
}

void AccessLog::drop_line() {
  if (dropped_lines_++ == 0) log::warning("nobody reads the access log: its lines are dropped from here on");
}

void AccessLog::flush() {
  std::size_t done = 0;
  stuck_ = false;
  while (done < lines_.size() && !stuck_) {
    const std::string_view piece = first_piece(std::string_view(lines_).substr(done));
    const auto written = write_ready(fd(), piece);
    if (!written) {
      ++lost_writes_;
      done = lines_.size();
      break;
    }
    done += *written;
    stuck_ = *written < piece.size();
  }
  lines_.erase(0, done);
  if (dropped_lines_ == 0 || !lines_.empty()) return;
  log::warning("the access log is read again; lines dropped: ", std::exchange(dropped_lines_, 0));
}

AccessLog::~AccessLog() {
  constexpr int kWaits = 10;
  for (int waits = 0; waits <= kWaits && !lines_.empty(); ++waits) {
    if (waits > 0)
      ::usleep(50'000);  // a terminal or pipe says it has room in its own measure: asked by writing
    flush();
  }
  const auto left = static_cast<std::uint64_t>(std::count(lines_.begin(), lines_.end(), '\n'));
  if (left > 0) log::warning("nobody read the access log to its end; lines dropped: ", dropped_lines_ + left);
}

}  // namespace forklift
