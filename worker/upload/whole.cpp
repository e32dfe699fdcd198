#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "worker/upload/spool_sink.h"

namespace forklift {

namespace {

/// Open, write and publish are a job each, as they are for who awaits every call on a file: the loop turns
/// between them.
class WholeSink final : public SpoolSink {
 public:
  WholeSink(const UploadServices& services, Resumer& resumer, UploadTarget target,
            std::optional<std::uint64_t> size)
      : SpoolSink(services, resumer, std::make_unique<VectorUpload>(services, std::move(target)), size) {}

 private:
  enum class Next : std::uint8_t { kNothing, kWrite, kPublish };

  void start_step(std::vector<Chunk> chunks, bool publish) override {
    if (spilled()) return SpoolSink::start_step(std::move(chunks), publish);
    chunks_ = std::move(chunks);
    next_ = Next::kWrite;
    SpoolSink::start_step({}, false);
  }

  void returned(std::unique_ptr<PoolUpload> upload) override {
    if (next_ == Next::kNothing || upload->error()) return SpoolSink::returned(std::move(upload));
    upload_ = std::move(upload);
    if (next_ == Next::kWrite && !chunks_.empty()) {
      next_ = Next::kPublish;
      SpoolSink::start_step(std::exchange(chunks_, {}), false);
    } else {
      next_ = Next::kNothing;
      SpoolSink::start_step({}, true);
    }
  }

  Next next_ = Next::kNothing;
  std::vector<Chunk> chunks_;  // wait for the open part
};

}  // namespace

std::unique_ptr<BodySink> make_whole_sink(const UploadServices& services, Resumer& resumer,
                                          UploadTarget target, std::optional<std::uint64_t> size) {
  return std::make_unique<WholeSink>(services, resumer, std::move(target), size);
}

}  // namespace forklift
