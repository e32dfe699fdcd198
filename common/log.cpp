#include "common/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

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

}  // namespace

void start(std::string_view program, std::string_view level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
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
