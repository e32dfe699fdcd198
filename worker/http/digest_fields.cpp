#include "worker/http/digest_fields.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "worker/http/head_guard.h"
#include "worker/http/joined_field.h"
#include "worker/http/structured_fields.h"

namespace forklift {
namespace {

/// Of those that are no longer broken (RFC 9530, 5).
std::optional<DigestAlgorithm> algorithm_of(std::string_view key) {
  if (key == "sha-256") return DigestAlgorithm::kSha256;
  if (key == "sha-512") return DigestAlgorithm::kSha512;
  return std::nullopt;
}

Problem misshapen(std::string_view field_name) {
  return malformed(std::string(field_name) +
                   " must be a dictionary of digests, like sha-256=:base64: (RFC 9530).");
}

Problem misfit(std::string_view field_name, DigestAlgorithm algorithm) {
  return malformed(std::string(field_name) + ": " + to_string(algorithm) + " must be " +
                   std::to_string(digest_bytes(algorithm)) + " bytes as base64 between colons.");
}

void put(std::vector<Digest>& digests, const Digest& digest) {
  const auto same = [&](const Digest& other) { return other.algorithm == digest.algorithm; };
  const auto found = std::find_if(digests.begin(), digests.end(), same);
  if (found == digests.end()) {
    digests.push_back(digest);
  } else {
    *found = digest;
  }
}

/// 0 where it is no integer from 0 to 10 (RFC 9530, 4).
int weight_of(std::string_view item) {
  int weight = 0;
  const char* end = item.data() + item.size();
  const auto [stop, error] = std::from_chars(item.data(), end, weight);
  return stop == end && error == std::errc() && weight >= 0 && weight <= 10 ? weight : 0;
}

}  // namespace

Result<std::vector<Digest>, Problem> claimed_digests(const RequestHead& head, std::string_view field_name) {
  std::vector<Digest> digests;
  const auto value = joined_field(head, field_name);
  if (!value) return digests;
  DictionaryReader reader(*value);
  while (const auto member = reader.next()) {
    const auto algorithm = algorithm_of(member->key);
    if (!algorithm) continue;
    Digest digest{*algorithm};
    if (!decode_byte_sequence(member->item, digest.bytes())) return misfit(field_name, *algorithm);
    put(digests, digest);
  }
  if (reader.malformed()) return misshapen(field_name);
  return digests;
}

Result<std::vector<Digest>, Problem> claimed_md5(const RequestHead& head) {
  const auto value = joined_field(head, "Content-MD5");
  if (!value) return std::vector<Digest>();
  Digest digest{DigestAlgorithm::kMd5};
  const bool padded = value->size() == 24;
  if (!padded || !decode_base64(*value, digest.bytes())) {
    return malformed("Content-MD5 must be 16 bytes as base64, 24 characters (RFC 1864).");
  }
  return std::vector<Digest>{digest};
}

Result<std::vector<Digest>, Problem> claimed_digests(const RequestHead& head) {
  auto all = claimed_digests(head, "Repr-Digest");
  if (!all) return all;
  for (auto more : {claimed_digests(head, "Content-Digest"), claimed_md5(head)}) {
    if (!more) return more;
    all->insert(all->end(), more->begin(), more->end());
  }
  return all;
}

std::optional<DigestAlgorithm> wanted_digest(const RequestHead& head, std::string_view field_name) {
  const auto value = joined_field(head, field_name);
  if (!value) return std::nullopt;
  int sha256 = 0;
  int sha512 = 0;
  DictionaryReader reader(*value);
  while (const auto member = reader.next()) {
    const auto algorithm = algorithm_of(member->key);
    if (algorithm == DigestAlgorithm::kSha256) sha256 = weight_of(member->item);
    if (algorithm == DigestAlgorithm::kSha512) sha512 = weight_of(member->item);
  }
  if (reader.malformed() || std::max(sha256, sha512) == 0) return std::nullopt;
  return sha256 >= sha512 ? DigestAlgorithm::kSha256 : DigestAlgorithm::kSha512;
}

std::string format_digest(const Digest& digest) {
  return to_string(digest.algorithm) + ("=" + byte_sequence(digest.bytes()));
}

}  // namespace forklift
