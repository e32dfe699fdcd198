#include "worker/upload/json_base64.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "worker/loop/disk_pool.h"
#include "worker/loop/socket.h"
#include "worker/upload/base64_reader.h"
#include "worker/upload/form.h"

namespace forklift {

JsonUploads::JsonUploads(std::size_t body_bytes_max_, Base64Choice choice)
    : body_bytes_max(body_bytes_max_),
      codec(base64_codec(choice)),
      memory(std::max(MemoryBudget::rounded(body_bytes_max_ + JsonParser::kPaddingBytes), kMemoryBytesMin)) {}

namespace {

/// A larger body is parsed on the disk pool: its structure may take a millisecond for every one of these.
constexpr std::size_t kParsedOnLoopBytesMax = 1u << 20;

/// What one call of finish() decodes before the others get their turn.
constexpr int kSlabsPerCall = 8;

class JsonSink;

/// The parsing of one large body on the disk pool. It owns the body meanwhile; orphaned, it drops it.
class ParseJob final : public DiskJob {
 public:
  ParseJob(BodyBuffer body, std::size_t size, JsonSink& owner)
      : body_(std::move(body)), size_(size), owner_(&owner) {}

  void run() override {
    JsonParser parser;
    upload_.emplace(parser.parse(body_.data(), size_));
  }

  void done(std::unique_ptr<DiskJob> self) override;

  /// The sink is gone.
  void abandon() { owner_ = nullptr; }

 private:
  BodyBuffer body_;
  std::size_t size_;
  JsonSink* owner_;
  std::optional<Result<JsonUpload>> upload_;
};

/// gather (receive, write) → parse → decode → publish: everything behind the first is finish().
class JsonSink final : public BodySink {
 public:
  JsonSink(const UploadServices& services, Resumer& resumer, UploadTarget target, const SinkStrategy& inner,
           std::optional<std::uint64_t> size)
      : BodySink(services, resumer),
        shared_(*services.json),
        target_(std::move(target)),
        strategy_(inner),
        announced_(size) {}

  ~JsonSink() override {
    shared_.memory.forget(resumer_);
    if (job_ != nullptr) job_->abandon();
  }

  Result<Flow> write(Chunk chunk) override {
    if (size_ + early_.size() + chunk.size() > bytes_max()) return too_large();
    const Result<bool> reserved = reserve();
    if (!reserved) return reserved.error();
    if (*reserved) {
      append(chunk.bytes());
      return Flow::kMore;
    }
    // Waiting for memory with a slab in hand would starve those who have memory and want a slab.
    const auto bytes = chunk.bytes();
    early_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Flow::kWaitDisk;
  }

  Result<Step> receive(Socket& socket, std::uint64_t limit) override {
    const Result<bool> reserved = reserve();
    if (!reserved) return reserved.error();
    if (!*reserved) return Step{Flow::kWaitDisk, 0};
    const std::uint64_t room = bytes_max() - size_;
    if (room == 0) return too_large();
    const auto bytes_max = static_cast<std::size_t>(std::min({limit, room, kBytesPerTurn}));
    const Result<Io> io = socket.receive(std::as_writable_bytes(std::span(body_.data() + size_, bytes_max)));
    if (!io) return io.error();
    if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
    if (io->state == Io::State::kWouldBlock) return Step{Flow::kWaitReadable, 0};
    size_ += io->bytes;
    return Step{Flow::kMore, io->bytes};
  }

  Result<Flow> finish() override {
    for (;;) {
      const Result<Flow> flow = step();
      if (!flow || *flow != Flow::kMore) return flow;
    }
  }

  const Stored& stored() const override { return content_.files.front().stored; }
  const FormContent* form() const override { return &content_; }

  /// Loop thread: a large body is parsed.
  void parsed(BodyBuffer body, Result<JsonUpload> upload) {
    job_ = nullptr;
    body_ = std::move(body);
    upload_.emplace(std::move(upload));
    resumer_.resume();
  }

 private:
  enum class Stage : std::uint8_t { kGather, kParse, kDecode, kPublish, kDone };

  Result<Flow> step() {
    switch (stage_) {
      case Stage::kGather:
        return end_gathering();
      case Stage::kParse:
        return take_parsed();
      case Stage::kDecode:
        return decode();
      case Stage::kPublish:
        return publish();
      case Stage::kDone:
        break;
    }
    return Flow::kDone;
  }

  // The most this body may be: what its request announced, or what is allowed.
  std::uint64_t bytes_max() const {
    return std::min<std::uint64_t>(announced_.value_or(UINT64_MAX), shared_.body_bytes_max);
  }

  static Error too_large() {
    return {ErrorCode::kBodyTooLarge, "The JSON body is larger than this server takes (--json-limit)."};
  }

  /// False: it has to wait.
  Result<bool> reserve() {
    if (body_) return true;
    if (announced_.value_or(0) > shared_.body_bytes_max) return too_large();
    const auto bytes = static_cast<std::size_t>(bytes_max()) + JsonParser::kPaddingBytes;
    auto buffer = shared_.memory.acquire(bytes, resumer_);
    if (!buffer) return buffer.error();
    if (!*buffer) return false;
    body_ = *std::move(buffer);
    append(std::as_bytes(std::span(early_)));
    std::string().swap(early_);
    return true;
  }

  void append(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    std::memcpy(body_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  Result<Flow> end_gathering() {
    const Result<bool> reserved = reserve();
    if (!reserved) return reserved.error();
    if (!*reserved) return Flow::kWaitDisk;
    stage_ = Stage::kParse;
    if (size_ <= kParsedOnLoopBytesMax) {
      upload_.emplace(shared_.parser.parse(body_.data(), size_));
    } else {
      auto job = std::make_unique<ParseJob>(std::move(body_), size_, *this);
      job_ = job.get();
      services_.disk.submit(std::move(job));
    }
    return Flow::kMore;
  }

  Result<Flow> take_parsed() {
    if (!upload_) return Flow::kWaitDisk;
    if (!*upload_) return upload_->error();
    JsonUpload& upload = upload_->value();
    reader_.emplace(std::string_view(body_.data() + upload.file_offset, upload.file_size), upload.file_offset,
                    shared_.codec);
    inner_ = strategy_.make(services_, resumer_, std::move(target_), reader_->size());
    content_.files.push_back({std::move(upload.field), std::move(upload.filename), {}});
    stage_ = Stage::kDecode;
    return Flow::kMore;
  }

  Result<Flow> decode() {
    if (inner_waits_) {
      const Result<Flow> asked = inner_->write(Chunk());
      if (!asked || *asked != Flow::kMore) return asked;
      inner_waits_ = false;
    }
    for (int slabs = 0; slabs < kSlabsPerCall; ++slabs) {
      SlabRef slab = services_.slabs.acquire(resumer_);
      if (!slab) return Flow::kWaitDisk;
      const Result<std::size_t> size = reader_->read({slab.data(), kSlabBytes});
      if (!size) return size.error();
      if (*size == 0) return end_decoding();
      const Result<Flow> written = inner_->write(Chunk(std::move(slab), 0, *size));
      if (!written) return written.error();
      if (reader_->at_end()) return end_decoding();
      inner_waits_ = *written == Flow::kWaitDisk;
      if (inner_waits_) return Flow::kWaitDisk;
    }
    resumer_.resume();
    return Flow::kWaitDisk;
  }

  Flow end_decoding() {
    reader_.reset();
    body_ = BodyBuffer();
    stage_ = Stage::kPublish;
    return Flow::kMore;
  }

  Result<Flow> publish() {
    const Result<Flow> finished = inner_->finish();
    if (!finished || *finished != Flow::kDone) return finished;
    content_.files.front().stored = inner_->stored();
    stage_ = Stage::kDone;
    return Flow::kDone;
  }

  JsonUploads& shared_;
  UploadTarget target_;
  const SinkStrategy& strategy_;
  std::optional<std::uint64_t> announced_;
  Stage stage_ = Stage::kGather;
  BodyBuffer body_;  // the job's while it parses
  std::uint64_t size_ = 0;
  std::string early_;  // came before there was memory for it
  ParseJob* job_ = nullptr;
  std::optional<Result<JsonUpload>> upload_;
  std::optional<Base64Reader> reader_;  // reads body_
  std::unique_ptr<BodySink> inner_;
  bool inner_waits_ = false;
  FormContent content_;
};

void ParseJob::done(std::unique_ptr<DiskJob>) {
  if (owner_ != nullptr) owner_->parsed(std::move(body_), *std::move(upload_));
}

}  // namespace

std::unique_ptr<BodySink> make_json_sink(const UploadServices& services, Resumer& resumer,
                                         UploadTarget target, const SinkStrategy& inner,
                                         std::optional<std::uint64_t> size) {
  return std::make_unique<JsonSink>(services, resumer, std::move(target), inner, size);
}

}  // namespace forklift
