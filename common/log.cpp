#include "common/log.h"

#include <spdlog/details/os.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <mutex>

#include "common/ready_write.h"

namespace forklift::log {
namespace {

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::level::level_enum level_named(std::string_view name) {
  if (name == "debug") return spdlog::level::debug;
  if (name == "warning") return spdlog::level::warn;
  if (name == "error" || name == "critical") return spdlog::level::err;
  return spdlog::level::info;
}

/// One line stays one line, whatever a file name or a client put into it.
std::string printable(std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return safe;
}

std::string_view color_of(spdlog::level::level_enum level) {
  if (level == spdlog::level::err) return "\033[31m\033[1m";
  if (level == spdlog::level::warn) return "\033[33m\033[1m";
  return level == spdlog::level::info ? "\033[32m" : "\033[36m";
}

/// Standard error, for which no process ever waits: a line that it does not take now is dropped and counted,
/// and before the next that it takes it says how many were.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StderrSink()
      : colored_(spdlog::details::os::in_terminal(stderr) && spdlog::details::os::is_color_terminal()) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (dropped_ > 0 && write(formatted(notice(message)))) dropped_ = 0;
    if (dropped_ > 0 || !write(formatted(message))) ++dropped_;
  }

  void flush_() override {}

  /// Whether the line went, or began to: the rest of a line goes before any other.
  bool write(std::string line) {
    if (!rest_.empty()) rest_.erase(0, taken(rest_));
    if (!rest_.empty()) return false;
    const std::size_t size = taken(line);
    if (size == 0) return false;
    rest_ = line.substr(size);
    return true;
  }

  static std::size_t taken(std::string_view text) {
    const auto written = write_ready(STDERR_FILENO, text);
    return written ? *written : 0;  // where it cannot be written, there is nobody to tell
  }

  std::string formatted(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t buffer;
    message.color_range_start = message.color_range_end = 0;
    formatter_->format(message, buffer);
    std::string line(buffer.data(), buffer.size());
    if (!colored_ || message.color_range_end <= message.color_range_start) return line;
    line.insert(message.color_range_end, "\033[m");
    return line.insert(message.color_range_start, color_of(message.level));
  }

  spdlog::details::log_msg notice(const spdlog::details::log_msg& after) {
    notice_ = text("nobody read the log for a while: lines dropped here: ", dropped_);
    return {after.logger_name, spdlog::level::warn, notice_};
  }

  const bool colored_;
  std::uint64_t dropped_ = 0;
  std::string rest_;  // of the line that went in part
  std::string notice_;
};

}  // namespace

void start(std::string_view program, std::string_view level) {
  auto sink = std::make_shared<StderrSink>();
  auto logger = std::make_shared<spdlog::logger>(std::string(program), std::move(sink));
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %n[%P] %v");
  logger->flush_on(spdlog::level::trace);
  logger->set_level(level_named(level));
  spdlog::set_default_logger(std::move(logger));
}

void set_level(std::string_view level) { spdlog::default_logger_raw()->set_level(level_named(level)); }

bool enabled(Level level) { return spdlog::default_logger_raw()->should_log(level_of(level)); }

void write(Level level, std::string_view text) {
  spdlog::default_logger_raw()->log(level_of(level), spdlog::string_view_t(printable(text)));
}

}  // namespace forklift::log
