#include "bench/load/request.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>

namespace forklift::load {
namespace {

/// Tells this process from every other. Of the same form as the names of the benchmark's other clients, so
/// that no server can tell who asks: name_of_run() of bench/harness/endpoints.py, a thread, n, and ten digits
/// that count.
std::string name_of_run() {
  std::random_device random;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%06x%06xt0n", random() & 0xffffffU, random() & 0xffffffU);
  return text.data();
}

std::string ten_digits(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(10 - std::min<std::size_t>(digits.size(), 10), '0') + digits;
}

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
  return before_number_ + (unique_ ? ten_digits(number) : "") + after_number_;
}

}  // namespace forklift::load
