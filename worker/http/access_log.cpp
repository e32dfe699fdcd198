#include "worker/http/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "common/errno_error.h"

namespace forklift {
namespace {

constexpr char kHex[] = "0123456789abcdef";

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

Result<UniqueFd> open_file(const std::string& path) {
  if (path == "-") return UniqueFd();
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640));
  if (!fd) return errno_error("open access log");
  return fd;
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
  lines_ += '\n';
  if (lines_.size() <= PIPE_BUF || gathered == 0) return;
  const std::string line = lines_.substr(gathered);
  lines_.resize(gathered);
  flush();
  lines_ = line;
}

void AccessLog::flush() {
  std::string_view rest = lines_;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      ++lost_writes_;
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  lines_.clear();
}

}  // namespace forklift
