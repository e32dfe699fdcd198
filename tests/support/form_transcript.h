#pragma once

#include <string>
#include <string_view>

#include "common/errno_error.h"
#include "worker/upload/multipart_parser.h"

namespace forklift {

/// Everything a form parser says about one body, as text that does not depend on how its data was cut.
class FormTranscript {
 public:
  FormTranscript(std::string_view boundary, const FormLimits& limits) : parser_(boundary, limits) {}

  void feed(std::string_view input) {
    while (!failed_ && !input.empty()) {
      const auto event = parser_.next(input);
      if (!event) return fail(event.error());
      take(*event, input);
      input.remove_prefix(event->used);
    }
  }

  void end() {
    if (failed_) return;
    if (const auto ended = parser_.end(); !ended) return fail(ended.error());
    text_ += "end";
  }

  const std::string& text() const { return text_; }

  /// Data that is not what the input holds there, or not what may be held.
  bool broke_the_contract() const { return broke_the_contract_; }

 private:
  void take(const FormEvent& event, std::string_view input) {
    using Kind = FormEvent::Kind;
    if (event.used > input.size()) broke_the_contract_ = true;
    if (event.kind == Kind::kPart) {
      const PartHead& part = parser_.part();
      text_ += "[" + part.name + (part.filename ? "|" + *part.filename : "") + "]";
    } else if (event.kind == Kind::kData) {
      if (event.data.data() != input.data() || event.data.size() != event.used) broke_the_contract_ = true;
      text_ += event.data;
    } else if (event.kind == Kind::kHeld) {
      if (event.data.empty() || event.data.size() > kFormHeldBytesMax) broke_the_contract_ = true;
      text_ += event.data;
    } else if (event.kind == Kind::kPartEnd) {
      text_ += "/";
    } else if (event.kind == Kind::kEnd) {
      text_ += "//";
    }
  }

  void fail(const Error& error) {
    failed_ = true;
    text_ += error.code == ErrorCode::kBadBody ? "bad: " : "too large: ";
    text_ += sentence_of(error) + " @" + std::to_string(error.position);
  }

  MultipartParser parser_;
  std::string text_;
  bool failed_ = false;
  bool broke_the_contract_ = false;
};

inline std::string form_transcript_of(std::string_view body, std::string_view boundary,
                                      const FormLimits& limits = {}) {
  FormTranscript transcript(boundary, limits);
  transcript.feed(body);
  transcript.end();
  return transcript.text();
}

}  // namespace forklift
