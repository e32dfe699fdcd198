#include "worker/upload/digest_sink.h"

#include <algorithm>
#include <utility>

namespace forklift {

namespace {

const char* mismatch_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return "The body does not have the MD5 digest that Content-MD5 says; nothing was stored.";
    case DigestAlgorithm::kSha256:
      return "The body does not have the sha-256 digest that Repr-Digest or Content-Digest says; nothing was "
             "stored.";
    case DigestAlgorithm::kSha512:
      break;
  }
  return "The body does not have the sha-512 digest that Repr-Digest or Content-Digest says; nothing was "
         "stored.";
}

class DigestSink final : public BodySink {
 public:
  DigestSink(const UploadServices& services, Resumer& resumer, std::unique_ptr<BodySink> inner,
             std::vector<Digest> claimed)
      : BodySink(services, resumer), inner_(std::move(inner)), claimed_(std::move(claimed)) {
    for (const Digest& digest : claimed_) {
      const auto same = [&](const Hasher& hasher) { return hasher.algorithm() == digest.algorithm; };
      if (std::none_of(hashers_.begin(), hashers_.end(), same)) hashers_.emplace_back(digest.algorithm);
    }
  }

  Result<Flow> write(Chunk chunk) override {
    for (Hasher& hasher : hashers_) hasher.add(chunk.bytes());
    return inner_->write(std::move(chunk));
  }

  Result<Step> receive(Socket& socket, std::uint64_t limit) override {
    const Result<Step> step = BodySink::receive(socket, limit);
    if (!step || step->flow != Flow::kWaitDisk || step->bytes > 0) return step;
    // No slab is left: what the inner sink gathers must not be kept from the others.
    const Result<Flow> asked = inner_->write(Chunk());
    if (!asked) return asked.error();
    return step;
  }

  Result<Flow> finish() override {
    if (const auto checked = check(); !checked) return checked.error();
    return inner_->finish();
  }

  const Stored& stored() const override { return inner_->stored(); }
  const char* waits_for_memory() const override { return inner_->waits_for_memory(); }
  const FormContent* form() const override { return inner_->form(); }

 private:
  /// Once: finish() is called again while the inner sink publishes.
  Result<void> check() {
    for (Hasher& hasher : std::exchange(hashers_, {})) {
      const Result<Digest> actual = hasher.digest();
      if (!actual) return actual.error();
      for (const Digest& claim : claimed_) {
        if (claim.algorithm != actual->algorithm || claim == *actual) continue;
        return Error{ErrorCode::kDigestMismatch, mismatch_of(claim.algorithm)};
      }
    }
    return {};
  }

  std::unique_ptr<BodySink> inner_;
  std::vector<Digest> claimed_;
  std::vector<Hasher> hashers_;  // one an algorithm
};

}  // namespace

std::unique_ptr<BodySink> make_digest_sink(const UploadServices& services, Resumer& resumer,
                                           std::unique_ptr<BodySink> inner, std::vector<Digest> claimed) {
  return std::make_unique<DigestSink>(services, resumer, std::move(inner), std::move(claimed));
}

}  // namespace forklift
