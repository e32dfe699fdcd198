#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/result.h"

struct evp_md_ctx_st;

namespace forklift {

enum class DigestAlgorithm : std::uint8_t { kMd5, kSha256, kSha512 };

/// "md5", "sha-256", "sha-512": the keys of RFC 9530, 5.
const char* to_string(DigestAlgorithm algorithm);

/// 16, 32 or 64.
std::size_t digest_bytes(DigestAlgorithm algorithm);

/// What a client says that its bytes digest to, or what they did. Plain data.
struct Digest {
  DigestAlgorithm algorithm = DigestAlgorithm::kSha256;
  std::array<std::byte, 64> storage = {};  // the first digest_bytes() of it; the rest is zero

  std::span<const std::byte> bytes() const {
    return std::span<const std::byte>(storage).first(digest_bytes(algorithm));
  }
  std::span<std::byte> bytes() { return std::span<std::byte>(storage).first(digest_bytes(algorithm)); }

  bool operator==(const Digest&) const = default;
};

/// Digests bytes as they come (EVP_DigestInit(3)). One thread at a time.
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm);

  DigestAlgorithm algorithm() const { return algorithm_; }

  void add(std::span<const std::byte> bytes);

  /// Of all that was added; only once. kUnsupported: the system's OpenSSL gives no such digest (as of MD5
  /// where it is set up for FIPS), or no memory.
  Result<Digest> digest();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };

  DigestAlgorithm algorithm_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;  // empty: it failed
};

}  // namespace forklift
