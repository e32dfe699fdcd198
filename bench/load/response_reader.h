#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace forklift::load {

/// Reads the answers of one connection, one at a time, with llhttp: counts the bytes of a body and forgets
/// them. Interim answers (1xx) are passed over. Owned by its connection.
class ResponseReader {
 public:
  enum class State : std::uint8_t { kNeedMore, kComplete, kMalformed };

  ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;
  ~ResponseReader();

  /// Takes bytes in any split. Bytes behind a complete answer are kMalformed: nothing more was asked.
  State feed(std::string_view bytes);

  /// The server has closed. kComplete if that is how the answer ends, else kNeedMore: it was cut.
  State end();

  /// Makes ready for the next answer.
  void next();

  bool begun() const;
  bool head_complete() const;
  int status() const;
  std::uint64_t body_bytes() const;
  bool keep_alive() const;

 private:
  struct Message;
  std::unique_ptr<Message> message_;
};

}  // namespace forklift::load
