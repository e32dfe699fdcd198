#include "worker/http/digest.h"

namespace forklift {

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

}  // namespace forklift
