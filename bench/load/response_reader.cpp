#include "bench/load/response_reader.h"

#include <llhttp.h>

namespace forklift::load {

struct ResponseReader::Message {
  llhttp_t llhttp{};
  bool begun = false;
  bool head_complete = false;
  bool complete = false;
  bool keep_alive = false;
  int status = 0;
  std::uint64_t body_bytes = 0;

  void start();

  static Message& of(llhttp_t* llhttp) { return *static_cast<Message*>(llhttp->data); }
  static int on_headers_complete(llhttp_t* llhttp);
  static int on_body(llhttp_t* llhttp, const char* at, std::size_t size);
  static int on_message_complete(llhttp_t* llhttp);
  static llhttp_settings_t make_settings();
};

llhttp_settings_t ResponseReader::Message::make_settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_headers_complete = on_headers_complete;
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
  return settings;
}

void ResponseReader::Message::start() {
  static const llhttp_settings_t settings = make_settings();
  llhttp_init(&llhttp, HTTP_RESPONSE, &settings);
  llhttp.data = this;
  begun = head_complete = complete = keep_alive = false;
  status = 0;
  body_bytes = 0;
}

int ResponseReader::Message::on_headers_complete(llhttp_t* llhttp) {
  Message& message = of(llhttp);
  message.status = llhttp->status_code;
  message.head_complete = message.status >= 200;
  message.keep_alive = llhttp_should_keep_alive(llhttp) != 0;
  return 0;
}

int ResponseReader::Message::on_body(llhttp_t* llhttp, const char*, std::size_t size) {
  of(llhttp).body_bytes += size;
  return 0;
}

int ResponseReader::Message::on_message_complete(llhttp_t* llhttp) {
  if (!of(llhttp).head_complete) return 0;  // interim: the answer is still to come
  of(llhttp).complete = true;
  return HPE_PAUSED;
}

ResponseReader::ResponseReader() : message_(std::make_unique<Message>()) { message_->start(); }
ResponseReader::~ResponseReader() = default;

ResponseReader::State ResponseReader::feed(std::string_view bytes) {
  Message& message = *message_;
  if (bytes.empty()) return State::kNeedMore;
  message.begun = true;
  const auto error = llhttp_execute(&message.llhttp, bytes.data(), bytes.size());
  if (error == HPE_OK) return State::kNeedMore;
  const bool whole = error == HPE_PAUSED && message.complete;
  return whole && llhttp_get_error_pos(&message.llhttp) == bytes.data() + bytes.size() ? State::kComplete
                                                                                       : State::kMalformed;
}

ResponseReader::State ResponseReader::end() {
  llhttp_finish(&message_->llhttp);
  return message_->complete ? State::kComplete : State::kNeedMore;
}

void ResponseReader::next() { message_->start(); }
bool ResponseReader::begun() const { return message_->begun; }
bool ResponseReader::head_complete() const { return message_->head_complete; }
int ResponseReader::status() const { return message_->status; }
std::uint64_t ResponseReader::body_bytes() const { return message_->body_bytes; }
bool ResponseReader::keep_alive() const { return message_->keep_alive; }

}  // namespace forklift::load
