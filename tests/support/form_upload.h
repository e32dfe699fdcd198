#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/transfer.h"
#include "worker/upload/form.h"

namespace forklift::testing {

inline constexpr std::string_view kFormBoundary = "------------------------d74496d66958873e";

inline std::string file_part(std::string_view name, std::string_view filename, std::string_view content) {
  return "--" + std::string(kFormBoundary) + "\r\nContent-Disposition: form-data; name=\"" +
         std::string(name) + "\"; filename=\"" + std::string(filename) +
         "\"\r\nContent-Type: application/octet-stream\r\n\r\n" + std::string(content) + "\r\n";
}

inline std::string field_part(std::string_view name, std::string_view value) {
  return "--" + std::string(kFormBoundary) + "\r\nContent-Disposition: form-data; name=\"" +
         std::string(name) + "\"\r\n\r\n" + std::string(value) + "\r\n";
}

inline std::string closing() { return "--" + std::string(kFormBoundary) + "--\r\n"; }

/// One form through one sink.
class FormUpload final : public SinkPump {
 public:
  FormUpload(StrategyFixture& f, const SinkStrategy& inner, const FormLimits& limits = {},
             std::string_view boundary = kFormBoundary, UploadTarget target = {"forms", PublishMode::kFresh})
      : SinkPump(f) {
    sink_ = make_form_sink(f.uploads, *this, std::move(target), inner, std::string(boundary), limits);
  }

  const FormContent& form() const { return *sink_->form(); }
};

/// The strategies a form can use, of those that keep what they store.
inline std::vector<const SinkStrategy*> seeing_strategies() {
  std::vector<const SinkStrategy*> seeing;
  for (const SinkStrategy& strategy : sinks_here()) {
    if (strategy.sees_bytes && strategy.kept) seeing.push_back(&strategy);
  }
  return seeing;
}

inline std::vector<std::string> files_in(const fs::path& root) {
  std::vector<std::string> files = visible_in(root);
  std::erase_if(files, [&](const std::string& name) { return fs::is_directory(root / name); });
  return files;
}

/// Runs it to its end.
inline void run_form(StrategyFixture& f, FormUpload& upload, const std::string& body,
                     std::vector<std::size_t> pieces = {kSlabBytes}) {
  upload.write(body, std::move(pieces));
  REQUIRE(f.turns.run_until([&] { return upload.over(); }));
}

}  // namespace forklift::testing
