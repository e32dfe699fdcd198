#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "worker/loop/socket.h"
#include "worker/storage/safe_path.h"
#include "worker/upload/form.h"
#include "worker/upload/form_uploads.h"
#include "worker/upload/multipart_parser.h"
#include "worker/upload/remover.h"

namespace forklift {

namespace {

/// Free bytes in front of what is received, a multiple of a cache line.
constexpr std::size_t kRoomBytes = 128;
static_assert(kRoomBytes >= kFormHeldBytesMax);

/// A chunk on its way through the parser. The first `room` bytes of it are free: what was held back of the
/// chunk before goes there, so that it costs no second slab.
struct Piece {
  Chunk chunk;
  std::size_t room = 0;

  std::string_view text() const {
    const auto bytes = chunk.bytes().subspan(room);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

/// What is taken back is what was published, not what others have put in its place meanwhile.
ExpectedState as_published(const Stored& stored) {
  return {ExpectedState::Kind::kOneOf, {etag_of(stored.version)}};
}

/// One form: a parser, a sink for each file, all open until the closing boundary. Each event goes to the part
/// it belongs to; an inner sink that waits for the disk leaves the rest of the chunk where it is.
class FormSink final : public BodySink {
 public:
  FormSink(const UploadServices& services, Resumer& resumer, UploadTarget target, const SinkStrategy& inner,
           std::string_view boundary, const FormLimits& limits)
      : BodySink(services, resumer),
        target_(std::move(target)),
        inner_(inner),
        limits_(limits),
        has_boundary_(!boundary.empty()),
        parser_(boundary, limits) {}

  ~FormSink() override {
    if (!done_) throw_away();
    services_.forms->scraps.forget(resumer_);
  }

  Result<Flow> write(Chunk chunk) override {
    if (!chunk.empty()) pieces_.push_back(Piece{std::move(chunk)});
    return take_pieces();
  }

  Result<Step> receive(Socket& socket, std::uint64_t limit) override;
  Result<Flow> finish() override;

  const Stored& stored() const override { return content_.files.front().stored; }
  const FormContent* form() const override { return &content_; }

 private:
  struct OpenFile {
    std::optional<FormUploads::OpenFile> right;
    std::unique_ptr<BodySink> sink;  // made with the first byte
    PartHead head;
  };

  Result<Flow> take_pieces();
  bool waits() const { return inner_waits_ || !held_.empty() || !pieces_.empty(); }
  Result<void> take(const FormEvent& event, Piece& piece);
  Result<void> take_held(std::string_view held, const Piece& piece, std::size_t used);
  Result<Flow> write_held();
  Result<void> begin_part();
  Result<void> end_part();
  Result<void> open_sink();
  UploadTarget target_of(const PartHead& head) const;
  Error no_file_left() const;
  Result<void> write_file(Chunk data);
  Result<void> add_to_field(std::string_view bytes);
  Result<void> count_field_bytes(std::size_t bytes);
  Result<void> end_form();
  Result<Flow> publish_next();
  Result<Flow> take_back();
  void throw_away();

  static Error bad(const char* sentence) { return {ErrorCode::kBadBody, sentence}; }
  static Error over(ErrorCode code, const char* sentence, std::size_t limit) {
    return {code, sentence, 0, -1, static_cast<std::int64_t>(limit)};
  }

  UploadTarget target_;
  const SinkStrategy& inner_;
  FormLimits limits_;
  bool has_boundary_;
  MultipartParser parser_;
  std::vector<Piece> pieces_;  // more than one only where the caller goes on although it should wait
  std::string_view held_;      // waits for a slab
  bool in_file_ = false;       // the part being read is files_.back(), else content_.fields.back()
  bool inner_waits_ = false;   // files_.back() said kWaitDisk
  std::size_t field_bytes_ = 0;
  std::vector<OpenFile> files_;
  std::size_t published_ = 0;  // of files_, now in content_
  FormContent content_;
  bool done_ = false;
  std::optional<Error> failure_;  // of a publication: those before it are being taken back
  std::optional<Remover> remover_;
};

Result<Step> FormSink::receive(Socket& socket, std::uint64_t limit) {
  if (waits()) {
    const Result<Flow> flow = take_pieces();
    if (!flow) return flow.error();
    if (*flow == Flow::kWaitDisk) return Step{Flow::kWaitDisk, 0};
  }
  SlabRef slab = services_.slabs.acquire(resumer_);
  if (!slab) return Step{Flow::kWaitDisk, 0};
  const auto bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(limit, kSlabBytes - kRoomBytes));
  const Result<Io> io = socket.receive({slab.data() + kRoomBytes, bytes_max});
  if (!io) return io.error();
  if (io->state == Io::State::kWouldBlock) return Step{Flow::kWaitReadable, 0};
  if (io->state == Io::State::kEnd) return Error{ErrorCode::kPeerGone, "recv"};
  pieces_.push_back(Piece{Chunk(std::move(slab), 0, kRoomBytes + io->bytes), kRoomBytes});
  const Result<Flow> flow = take_pieces();
  if (!flow) return flow.error();
  return Step{*flow, io->bytes};
}

Result<Flow> FormSink::take_pieces() {
  if (!has_boundary_) return bad("The Content-Type of the form names no boundary.");
  while (waits()) {
    if (inner_waits_) {
      const Result<Flow> asked = files_.back().sink->write(Chunk());
      if (!asked || *asked == Flow::kWaitDisk) return asked;
      inner_waits_ = false;
    } else if (!held_.empty()) {
      const Result<Flow> written = write_held();
      if (!written || *written == Flow::kWaitDisk) return written;
    } else {
      Piece& piece = pieces_.front();
      const Result<FormEvent> event = parser_.next(piece.text());
      if (!event) return event.error();
      if (const auto taken = take(*event, piece); !taken) return taken.error();
      piece.chunk.drop_front(std::exchange(piece.room, 0) + event->used);
      if (piece.chunk.empty()) pieces_.erase(pieces_.begin());
    }
  }
  return Flow::kMore;
}

Result<void> FormSink::take(const FormEvent& event, Piece& piece) {
  switch (event.kind) {
    case FormEvent::Kind::kPart:
      return begin_part();
    case FormEvent::Kind::kData:
      return in_file_ ? write_file(piece.chunk.slice(piece.room, event.used)) : add_to_field(event.data);
    case FormEvent::Kind::kHeld:
      return in_file_ ? take_held(event.data, piece, event.used) : add_to_field(event.data);
    case FormEvent::Kind::kPartEnd:
      return end_part();
    default:
      return {};
  }
}

/// What is held belongs right before the bytes of the piece that are not used: there, if there is room.
Result<void> FormSink::take_held(std::string_view held, const Piece& piece, std::size_t used) {
  const std::size_t free_bytes = piece.room + used;
  if (free_bytes < held.size()) {
    held_ = held;
    return {};
  }
  Chunk into = piece.chunk.slice(free_bytes - held.size(), held.size());
  std::memcpy(into.mutable_bytes().data(), held.data(), held.size());
  return write_file(std::move(into));
}

/// A chunk that others may share bytes around (chunked coding) has no room: the few bytes get a slab. Since
/// the caller has one already, waiting for another of the same could be for ever.
Result<Flow> FormSink::write_held() {
  SlabRef slab = services_.slabs.acquire_now();
  if (!slab) slab = services_.forms->scraps.acquire(resumer_);
  if (!slab) return Flow::kWaitDisk;
  const std::string_view held = std::exchange(held_, {});
  std::memcpy(slab.data(), held.data(), held.size());
  if (const auto written = write_file(Chunk(std::move(slab), 0, held.size())); !written)
    return written.error();
  return Flow::kMore;
}

Result<void> FormSink::begin_part() {
  const PartHead& head = parser_.part();
  in_file_ = head.is_file();
  if (in_file_ && files_.size() == limits_.files_max) {
    return over(ErrorCode::kBodyTooLarge,
                "The form has more than % files, the most this server takes in one.", limits_.files_max);
  }
  if (in_file_) {
    files_.push_back(OpenFile{std::nullopt, nullptr, head});
  } else {
    content_.fields.push_back(FormField{head.name, {}});
  }
  return count_field_bytes(head.name.size());
}

Result<void> FormSink::end_part() {
  if (!in_file_ || files_.back().sink) return {};
  if (files_.back().head.filename != "") return open_sink();
  files_.pop_back();  // what a browser sends for a file input that was left unused
  return {};
}

Result<void> FormSink::open_sink() {
  OpenFile& file = files_.back();
  UploadTarget target = target_of(file.head);
  if (target.mode != PublishMode::kFresh) {
    if (auto checked = check_name(target.name); !checked) return checked;
    if (target.name == kUploadDirectory) return Error{ErrorCode::kReservedName, "form"};
  }
  file.right = services_.forms->open_file();
  if (!file.right) return no_file_left();
  file.sink = inner_.make(services_, resumer_, std::move(target), std::nullopt);
  return {};
}

UploadTarget FormSink::target_of(const PartHead& head) const {
  UploadTarget target = target_;
  const std::string filename = head.filename.value_or("");
  const std::string leaf = filename.substr(filename.find_last_of("/\\") + 1);
  if (leaf.empty()) target.mode = PublishMode::kFresh;
  if (target.mode == PublishMode::kFresh) return target;
  if (!target.name.empty()) target.name += '/';
  target.name += leaf;
  return target;
}

/// A form that could never be taken is told so; one that came while others have what it needs may come again.
Error FormSink::no_file_left() const {
  const std::size_t limit = services_.forms->open_files_max;
  if (files_.size() > limit) {
    return over(ErrorCode::kBodyTooLarge,
                "The form has more than % files, the most this server may hold open for forms.", limit);
  }
  return over(ErrorCode::kTooManyOpen,
              "Forms hold % files open, the most they may on this server; try again later.", limit);
}

Result<void> FormSink::write_file(Chunk data) {
  if (!files_.back().sink) {
    if (auto opened = open_sink(); !opened) return opened;
  }
  const Result<Flow> flow = files_.back().sink->write(std::move(data));
  if (!flow) return flow.error();
  inner_waits_ = *flow == Flow::kWaitDisk;
  return {};
}

Result<void> FormSink::add_to_field(std::string_view bytes) {
  if (auto counted = count_field_bytes(bytes.size()); !counted) return counted;
  content_.fields.back().value += bytes;
  return {};
}

Result<void> FormSink::count_field_bytes(std::size_t bytes) {
  field_bytes_ += bytes;
  if (field_bytes_ <= limits_.field_bytes_max) return {};
  return over(ErrorCode::kBodyTooLarge,
              "The fields of the form and the names of its parts have more than % bytes together.",
              limits_.field_bytes_max);
}

Result<Flow> FormSink::finish() {
  if (done_) return Flow::kDone;
  if (failure_) return take_back();
  const Result<Flow> flow = take_pieces();
  if (!flow || *flow == Flow::kWaitDisk) return flow;
  if (const auto ended = end_form(); !ended) return ended.error();
  while (published_ < files_.size()) {
    const Result<Flow> published = publish_next();
    if (!published || *published != Flow::kDone) return published;
  }
  done_ = true;
  return Flow::kDone;
}

Result<void> FormSink::end_form() {
  if (auto ended = parser_.end(); !ended) return ended;
  if (files_.empty()) return bad("The form holds no file.");
  return {};
}

Result<Flow> FormSink::publish_next() {
  OpenFile& file = files_[published_];
  const Result<Flow> finished = file.sink->finish();
  if (!finished) {
    failure_ = finished.error();
    if (failure_->code == ErrorCode::kExists) failure_ = Error{ErrorCode::kNameTaken, "form"};
    return take_back();
  }
  if (*finished != Flow::kDone) return finished;
  content_.files.push_back(
      FormFile{std::move(file.head.name), std::move(file.head.filename).value_or(""), file.sink->stored()});
  file.sink.reset();
  file.right.reset();
  ++published_;
  return Flow::kDone;
}

/// Removes what was published, then says why.
Result<Flow> FormSink::take_back() {
  while (!content_.files.empty()) {
    const Stored& stored = content_.files.back().stored;
    if (!remover_) remover_.emplace(services_, resumer_, stored.file_path, as_published(stored));
    const Result<Flow> removed = remover_->step();
    if (removed && *removed == Flow::kWaitDisk) return Flow::kWaitDisk;
    remover_.reset();
    content_.files.pop_back();
  }
  return *failure_;
}

/// Destroyed between two publications. A removal under way goes on without its owner.
void FormSink::throw_away() {
  if (remover_) content_.files.pop_back();
  for (const FormFile& file : content_.files) {
    (void)Remover(services_, resumer_, file.stored.file_path, as_published(file.stored)).step();
  }
}

}  // namespace

std::unique_ptr<BodySink> make_form_sink(const UploadServices& services, Resumer& resumer,
                                         UploadTarget target, const SinkStrategy& inner, std::string boundary,
                                         const FormLimits& limits) {
  return std::make_unique<FormSink>(services, resumer, std::move(target), inner, boundary, limits);
}

}  // namespace forklift
