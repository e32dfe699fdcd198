#include "worker/http/connection.h"
#include "worker/http/digest_fields.h"
#include "worker/http/preconditions.h"

namespace forklift {

/// An answer without the file (304, 412) has no digest and is not kept waiting for one.
Flow Connection::digest_first() {
  const auto wanted = wanted_digest(parser_.head(), "Want-Repr-Digest");
  if (!wanted) return reply_file();
  const OpenedFile& file = exchange_.source->file();
  if (judged_of(file.version()).verdict != Precondition::Verdict::kProceed) return reply_file();
  Resumer& resumer = *this;
  exchange_.digest = std::make_unique<FileDigest>(services_.downloads, resumer, file, *wanted);
  phase_ = Phase::kDigest;
  return Flow::kMore;
}

/// Where it can't be had the file is sent without: it was a wish (RFC 9530, 4).
Flow Connection::step_digest() {
  const auto& outcome = exchange_.digest->outcome();
  if (!outcome) return Flow::kWaitDisk;
  if (outcome->ok()) {
    exchange_.repr_digest = format_digest(outcome->value());
  } else {
    owner_.failed(outcome->error(), exchange_.request_id.view());
  }
  exchange_.digest.reset();
  return reply_file();
}

}  // namespace forklift
