#include "bench/load/request.h"

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace forklift::load {
namespace {

/// Tells this process from every other, also after a restart of the numbers of processes. Letters and digits
/// alone.
std::string name_of_run() { return std::to_string(::time(nullptr)) + "p" + std::to_string(::getpid()) + "n"; }

std::string fields_of(const Options& options, std::size_t body_bytes) {
  const bool bracketed = options.host.find(':') != std::string::npos;
  std::string text =
      "Host: " + (bracketed ? "[" + options.host + "]" : options.host) + ":" + options.port + "\r\n";
  if (!options.body_file.empty()) {
    text += "Content-Type: " + options.content_type + "\r\nContent-Length: " + std::to_string(body_bytes) +
            "\r\n";
  }
  for (const std::string& field : options.fields) text += field + "\r\n";
  if (options.one_shot) text += "Connection: close\r\n";
  return text + "\r\n";
}

}  // namespace

Result<Request, std::string> Request::make(const Options& options) {
  Request request;
  if (!options.body_file.empty()) {
    std::ifstream file(options.body_file, std::ios::binary);
    request.body_.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) return "cannot read " + options.body_file;
  }
  const std::size_t path_end = std::min(options.target.find('?'), options.target.size());
  request.unique_ = options.unique;
  request.before_number_ = options.method + " " + options.target.substr(0, path_end);
  if (options.unique) request.before_number_ += name_of_run();
  request.after_number_ =
      options.target.substr(path_end) + " HTTP/1.1\r\n" + fields_of(options, request.body_.size());
  return request;
}

std::string Request::head(std::uint64_t number) const {
  return before_number_ + (unique_ ? std::to_string(number) : "") + after_number_;
}

}  // namespace forklift::load
