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

namespace {

std::size_t buffer_bytes(std::size_t body_bytes) {
  return MemoryBudget::rounded(body_bytes + JsonParser::kPaddingBytes);
}

}  // namespace

JsonUploads::JsonUploads(std::size_t body_bytes_max_, Base64Choice choice, std::size_t memory_bytes_min)
    : body_bytes_max(body_bytes_max_),
      codec(base64_codec(choice)),
      memory(std::max(buffer_bytes(body_bytes_max_), memory_bytes_min), buffer_bytes(body_bytes_max_)),
      small_memory(kSmallMemoryBytes - buffer_bytes(kSmallBodyBytesMax), buffer_bytes(kSmallBodyBytesMax)) {}

namespace {

/// A small body gets its memory at once; any other begins with kFirstBytes and grows, by steps of
/// kStepBytesMax or a quarter.
constexpr std::size_t kFirstBytes = 2 * kSlabBytes;
constexpr std::size_t kStepBytesMax = 1u << 20;

/// What one call of finish() decodes before the others get their turn.
constexpr int kSlabsPerCall = 8;

class JsonSink;

/// The search through one large body, on the disk pool: it may take a millisecond for every few MiB. It owns
/// the body meanwhile; orphaned, it drops it.
class SearchJob final : public DiskJob {
 public:
  SearchJob(BodyBuffer body, std::size_t size, JsonSink& owner)
      : body_(std::move(body)), size_(size), owner_(&owner) {}

  void run() override {
    hole_.emplace(find_longest_string({body_.data(), size_}, JsonParser::kWholeBytesMax));
  }

  void done(std::unique_ptr<DiskJob> self) override;

  /// The sink is gone.
  void abandon() { owner_ = nullptr; }

 private:
  BodyBuffer body_;
  std::size_t size_;
  JsonSink* owner_;
  std::optional<Result<JsonHole>> hole_;
};

/// gather (receive, write) → search, where large → parse → decode → publish: everything behind the first is
/// finish().
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
    forget_memory();
    if (job_ != nullptr) job_->abandon();
  }

  Result<Flow> write(Chunk chunk) override {
    const auto bytes = chunk.bytes();
    if (!bytes.empty()) {
      if (size_ + bytes.size() > bytes_max()) return too_large();
      // There is room: it was made by the call before, or the caller did not ask and takes its chances.
      if (const auto made = make_room(); !made) return made.error();
      if (room() < bytes.size()) return Error{ErrorCode::kNoMemory, "body buffer"};
      std::memcpy(body_.data() + size_, bytes.data(), bytes.size());
      size_ += bytes.size();
    }
    const Result<bool> made = make_room();
    if (!made) return made.error();
    return *made ? Flow::kMore : Flow::kWaitDisk;
  }

  Result<Step> receive(Socket& socket, std::uint64_t limit) override {
    if (size_ == bytes_max()) return too_large();
    const Result<bool> made = make_room();
    if (!made) return made.error();
    if (!*made) return Step{Flow::kWaitDisk, 0};
    const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>({limit, room(), kBytesPerTurn}));
    const Result<Io> io = socket.receive(std::as_writable_bytes(std::span(body_.data() + size_, bytes_max)));
    if (!io) return io.error();
    if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
    if (io->state == Io::State::kWouldBlock) return Step{Flow::kWaitReadable, 0};
    size_ += io->bytes;
    return Step{Flow::kMore, io->bytes};
  }

  const char* waits_for_memory() const override {
    return shared_.memory.waits(resumer_) ? "the memory for JSON bodies (--json-limit)" : nullptr;
  }

  Result<Flow> finish() override {
    for (;;) {
      const Result<Flow> flow = step();
      if (!flow || *flow != Flow::kMore) return flow;
    }
  }

  const Stored& stored() const override { return content_.files.front().stored; }
  const FormContent* form() const override { return &content_; }

  /// Loop thread: a large body was searched.
  void searched(BodyBuffer body, Result<JsonHole> hole) {
    job_ = nullptr;
    body_ = std::move(body);
    hole_.emplace(std::move(hole));
    resumer_.resume();
  }

 private:
  enum class Stage : std::uint8_t { kGather, kSearch, kDecode, kPublish, kDone };

  Result<Flow> step() {
    switch (stage_) {
      case Stage::kGather:
        return end_gathering();
      case Stage::kSearch:
        return end_search();
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

  /// What may still be put into the buffer.
  std::size_t room() const {
    if (!body_) return 0;
    const std::uint64_t end =
        std::min<std::uint64_t>(body_.capacity() - JsonParser::kPaddingBytes, bytes_max());
    return static_cast<std::size_t>(end - size_);
  }

  /// Makes room for one more chunk, or for all that may still come. False: it has to wait for memory.
  Result<bool> make_room() {
    if (announced_.value_or(0) > shared_.body_bytes_max) return too_large();
    if (body_ && room() >= std::min<std::uint64_t>(bytes_max() - size_, kSlabBytes)) return true;
    if (!small()) return shared_.memory.grow(body_, next_capacity(), resumer_);
    // It has all at once: whichever it gets first.
    for (MemoryBudget* budget : {&shared_.small_memory, &shared_.memory}) {
      const Result<bool> grown = budget->grow(body_, next_capacity(), resumer_);
      if (!grown || *grown) {
        forget_memory();
        return grown;
      }
    }
    return false;
  }

  bool small() const { return announced_ && *announced_ <= JsonUploads::kSmallBodyBytesMax; }

  void forget_memory() {
    shared_.small_memory.forget(resumer_);
    shared_.memory.forget(resumer_);
  }

  std::size_t next_capacity() const {
    const auto most = static_cast<std::size_t>(bytes_max()) + JsonParser::kPaddingBytes;
    if (!body_) return small() ? most : std::min(most, kFirstBytes);
    const std::size_t capacity = body_.capacity();
    return std::min(most, capacity + std::max(std::min(capacity, kStepBytesMax), capacity / 4));
  }

  Result<Flow> end_gathering() {
    if (!body_) {
      const Result<bool> made = make_room();
      if (!made) return made.error();
      if (!*made) return Flow::kWaitDisk;
    }
    forget_memory();  // it needs no more
    std::memset(body_.data() + size_, 0, JsonParser::kPaddingBytes);
    if (size_ <= JsonParser::kWholeBytesMax) return begin_decoding(shared_.parser.parse(body_.data(), size_));
    stage_ = Stage::kSearch;
    auto job = std::make_unique<SearchJob>(std::move(body_), size_, *this);
    job_ = job.get();
    services_.disk.submit(std::move(job));
    return Flow::kMore;
  }

  Result<Flow> end_search() {
    if (!hole_) return Flow::kWaitDisk;
    if (!*hole_) return hole_->error();
    return begin_decoding(shared_.parser.parse_around(body_.data(), size_, hole_->value()));
  }

  Result<Flow> begin_decoding(Result<JsonUpload> upload) {
    if (!upload) return upload.error();
    reader_.emplace(std::string_view(body_.data() + upload->file_offset, upload->file_size),
                    upload->file_offset, shared_.codec);
    inner_ = strategy_.make(services_, resumer_, std::move(target_), reader_->size());
    content_.files.push_back({std::move(upload->field), std::move(upload->filename), {}});
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
  BodyBuffer body_;  // the job's while it searches
  std::size_t size_ = 0;
  SearchJob* job_ = nullptr;
  std::optional<Result<JsonHole>> hole_;
  std::optional<Base64Reader> reader_;  // reads body_
  std::unique_ptr<BodySink> inner_;
  bool inner_waits_ = false;
  FormContent content_;
};

void SearchJob::done(std::unique_ptr<DiskJob>) {
  if (owner_ != nullptr) owner_->searched(std::move(body_), *std::move(hole_));
}

}  // namespace

std::unique_ptr<BodySink> make_json_sink(const UploadServices& services, Resumer& resumer,
                                         UploadTarget target, const SinkStrategy& inner,
                                         std::optional<std::uint64_t> size) {
  return std::make_unique<JsonSink>(services, resumer, std::move(target), inner, size);
}

}  // namespace forklift
