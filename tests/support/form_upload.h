#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
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

/// One form on its way through one sink, as a connection takes it there.
class FormUpload final : public Pump {
 public:
  FormUpload(StrategyFixture& f, const SinkStrategy& inner, const FormLimits& limits = {},
             std::string_view boundary = kFormBoundary)
      : Pump(f.loop()),
        slabs_(f.slabs),
        sink_(make_form_sink(f.uploads, *this, {"forms", PublishMode::kFresh}, inner, std::string(boundary),
                             limits)) {}
  ~FormUpload() { slabs_.forget(*this); }

  /// Will write `body` in pieces of the given sizes, over and over.
  void write(std::string_view body, std::vector<std::size_t> pieces) {
    body_ = body;
    pieces_ = std::move(pieces);
    start();
  }

  /// Will receive `size` bytes.
  void receive(UniqueFd fd, std::uint64_t size) {
    attach(std::move(fd));
    to_receive_ = size;
    start();
  }

  const FormContent& form() const { return *sink_->form(); }
  const Stored& stored() const { return sink_->stored(); }
  bool finishing() const { return finishing_; }

 private:
  Result<Flow> step() override {
    if (asks_ && !finishing_) return sink_->write(Chunk());
    if (written_ < body_.size()) return step_write();
    if (to_receive_ > 0) return step_receive();
    finishing_ = true;
    return sink_->finish();
  }

  Result<Flow> step_write() {
    SlabRef slab = slabs_.acquire(*this);
    if (!slab) return Flow::kWaitDisk;
    const std::size_t size =
        std::min({pieces_[next_piece_++ % pieces_.size()], body_.size() - written_, kSlabBytes});
    std::memcpy(slab.data(), body_.data() + written_, size);
    written_ += size;
    const Result<Flow> flow = sink_->write(Chunk(std::move(slab), 0, size));
    return flow && written_ == body_.size() ? Result<Flow>(Flow::kMore) : flow;
  }

  Result<Flow> step_receive() {
    const Result<Step> step = sink_->receive(*socket_, to_receive_);
    if (!step) return step.error();
    to_receive_ -= step->bytes;
    return to_receive_ == 0 ? Flow::kMore : step->flow;
  }

  SlabPool& slabs_;
  std::unique_ptr<BodySink> sink_;
  std::string_view body_;
  std::vector<std::size_t> pieces_;
  std::size_t next_piece_ = 0;
  std::size_t written_ = 0;
  std::uint64_t to_receive_ = 0;
  bool finishing_ = false;
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
