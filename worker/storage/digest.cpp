#include "worker/storage/digest.h"

#include <openssl/evp.h>

namespace forklift {
namespace {

const EVP_MD* method_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return EVP_md5();
    case DigestAlgorithm::kSha256:
      return EVP_sha256();
    case DigestAlgorithm::kSha512:
      break;
  }
  return EVP_sha512();
}

}  // namespace

const char* to_string(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return "md5";
    case DigestAlgorithm::kSha256:
      return "sha-256";
    case DigestAlgorithm::kSha512:
      break;
  }
  return "sha-512";
}

std::size_t digest_bytes(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return 16;
    case DigestAlgorithm::kSha256:
      return 32;
    case DigestAlgorithm::kSha512:
      break;
  }
  return 64;
}

void Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Hasher::Hasher(DigestAlgorithm algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) return;
  if (EVP_DigestInit_ex(context_.get(), method_of(algorithm), nullptr) != 1) context_.reset();
}

void Hasher::add(std::span<const std::byte> bytes) {
  if (context_ == nullptr) return;
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) context_.reset();
}

Result<Digest> Hasher::digest() {
  Digest digest{algorithm_};
  auto* out = reinterpret_cast<unsigned char*>(digest.storage.data());
  if (context_ == nullptr || EVP_DigestFinal_ex(context_.get(), out, nullptr) != 1) {
    return Error{ErrorCode::kUnsupported, "digest"};
  }
  return digest;
}

}  // namespace forklift
