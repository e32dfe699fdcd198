#include "worker/storage/digest.h"

#include <string>

#include "support/catch.h"

namespace forklift {
namespace {

std::string hex_of(const Digest& digest) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : digest.bytes()) {
    hex += kHexDigits[std::to_integer<std::size_t>(byte >> 4)];
    hex += kHexDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return hex;
}

std::string digested(DigestAlgorithm algorithm, std::string_view first, std::string_view second) {
  Hasher hasher(algorithm);
  hasher.add(std::as_bytes(std::span(first)));
  hasher.add({});
  hasher.add(std::as_bytes(std::span(second)));
  return hex_of(hasher.digest().value());
}

}  // namespace

TEST_CASE("bytes digest to what the standards say of abc, however they come") {
  CHECK(digested(DigestAlgorithm::kMd5, "a", "bc") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(digested(DigestAlgorithm::kSha256, "abc", "") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digested(DigestAlgorithm::kSha512, "ab", "c") ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  CHECK(digested(DigestAlgorithm::kMd5, "", "") == "d41d8cd98f00b204e9800998ecf8427e");
}

}  // namespace forklift
