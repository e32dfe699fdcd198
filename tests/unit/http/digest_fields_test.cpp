#include "worker/http/digest_fields.h"

#include "support/catch.h"

namespace forklift {
namespace {

// Of {"hello": "world"} and a newline, and of nothing (RFC 9530, appendix B and D).
constexpr const char* kSha256 = "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=";
constexpr const char* kSha512 =
    "YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==";

RequestHead head_of(std::vector<HeaderField> fields) {
  RequestHead head;
  head.fields = std::move(fields);
  return head;
}

/// The digests as they would be written, between commas; or the sentence of the refusal.
std::string text_of(const Result<std::vector<Digest>, Problem>& digests) {
  if (!digests) return std::to_string(digests.error().status) + ": " + digests.error().detail;
  std::string text;
  for (const Digest& digest : *digests) text += (text.empty() ? "" : ", ") + format_digest(digest);
  return text;
}

std::string repr_digest(std::string_view value) {
  return text_of(claimed_digests(head_of({{"Repr-Digest", value}}), "Repr-Digest"));
}

std::string wanted(std::string_view value) {
  const auto algorithm = wanted_digest(head_of({{"Want-Repr-Digest", value}}), "Want-Repr-Digest");
  return algorithm ? to_string(*algorithm) : "nothing";
}

std::string member(std::string_view key, std::string_view base64) {
  return std::string(key) + "=:" + std::string(base64) + ':';
}

}  // namespace

TEST_CASE("the digests a client claims are read") {
  CHECK(repr_digest(member("sha-256", kSha256)) == member("sha-256", kSha256));
  CHECK(repr_digest(member("sha-512", kSha512)) == member("sha-512", kSha512));
  const std::string both = member("sha-256", kSha256) + ", " + member("sha-512", kSha512);
  CHECK(repr_digest(both) == both);
  CHECK(repr_digest(member("sha-256", kSha256) + ";note=\"a, b\"") == member("sha-256", kSha256));
  CHECK(repr_digest("") == "");
  CHECK(text_of(claimed_digests(head_of({}), "Repr-Digest")) == "");
}

TEST_CASE("digests of other algorithms are skipped") {
  CHECK(repr_digest("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, crc32c=:AAAAAA==:, x=(1 2), unixsum=5, sha=?0") == "");
  CHECK(repr_digest("md5=:AA==:, " + member("sha-256", kSha256)) == member("sha-256", kSha256));
}

TEST_CASE("of two digests by one algorithm in one field the later counts, across lines too") {
  const std::string zero = member("sha-256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  const std::string good = member("sha-256", kSha256);
  CHECK(repr_digest(zero + ", " + good) == good);
  CHECK(text_of(claimed_digests(head_of({{"Content-Digest", good}, {"content-digest", zero}}),
                                "Content-Digest")) == zero);
}

TEST_CASE("a digest that can't be read is refused, in a sentence") {
  const std::string misfit = "400: Repr-Digest: sha-256 must be 32 bytes as base64 between colons.";
  CHECK(repr_digest("sha-256=:AAAA:") == misfit);
  CHECK(repr_digest("sha-256") == misfit);
  CHECK(repr_digest("sha-256=\"" + std::string(kSha256) + '"') == misfit);
  CHECK(repr_digest(member("sha-256", kSha512)) == misfit);
  CHECK(repr_digest("sha-256=::") == misfit);
  CHECK(repr_digest(member("sha-512", kSha256)) ==
        "400: Repr-Digest: sha-512 must be 64 bytes as base64 between colons.");
  const std::string misshapen =
      "400: Repr-Digest must be a dictionary of digests, like sha-256=:base64: (RFC 9530).";
  CHECK(repr_digest("SHA-256=" + std::string(kSha256)) == misshapen);
  CHECK(repr_digest("sha-256=" + std::string(kSha256)) == misfit);
  CHECK(repr_digest(member("sha-256", kSha256) + ",") == misshapen);
  CHECK(repr_digest("sha-256=:" + std::string(kSha256)) == misshapen);
  CHECK(repr_digest("sha-256=;x") == misshapen);
  CHECK(repr_digest("md5=:AA") == misshapen);
}

TEST_CASE("Content-MD5 is read as RFC 1864 writes it") {
  const auto claimed = [](std::vector<HeaderField> fields) {
    return text_of(claimed_md5(head_of(std::move(fields))));
  };
  CHECK(claimed({{"Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="}}) == "md5=:Q2hlY2sgSW50ZWdyaXR5IQ==:");
  CHECK(claimed({}) == "");
  const std::string refused = "400: Content-MD5 must be 16 bytes as base64, 24 characters (RFC 1864).";
  for (const char* value :
       {"", "Q2hlY2sgSW50ZWdyaXR5IQ", "Q2hlY2sgSW50ZWdyaXR5IQ=", "Q2hlY2sgSW50ZWdyaXR5IQ==x",
        ":Q2hlY2sgSW50ZWdyaXR5IQ==:", "d41d8cd98f00b204e9800998ecf8427e", "Q2hlY2sgSW50ZWdyaXR5I*=="}) {
    CAPTURE(value);
    CHECK(claimed({{"Content-MD5", value}}) == refused);
  }
  CHECK(claimed({{"Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="}, {"Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="}}) ==
        refused);
}

TEST_CASE("all claims of a request are gathered, those that repeat each other too") {
  const std::string good = member("sha-256", kSha256);
  const std::vector<HeaderField> fields = {
      {"Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="}, {"Content-Digest", good}, {"Repr-Digest", good}};
  CHECK(text_of(claimed_digests(head_of(fields))) == good + ", " + good + ", md5=:Q2hlY2sgSW50ZWdyaXR5IQ==:");
  CHECK(text_of(claimed_digests(head_of({}))) == "");
  for (const char* name : {"Repr-Digest", "Content-Digest", "Content-MD5"}) {
    CAPTURE(name);
    CHECK(text_of(claimed_digests(head_of({{name, "sha-256=?"}}))).substr(0, 5 + std::string(name).size()) ==
          "400: " + std::string(name));
  }
}

TEST_CASE("of the digests wanted the one with the most weight is given") {
  CHECK(wanted("sha-256=1") == "sha-256");
  CHECK(wanted("sha-512=3, sha-256=10, unixsum=0") == "sha-256");
  CHECK(wanted("sha-256=3, sha-512=10") == "sha-512");
  CHECK(wanted("sha-256=5, sha-512=5") == "sha-256");
  CHECK(wanted("sha-256=0, sha-512=1") == "sha-512");
  CHECK(wanted("sha-256=1, sha-256=0") == "nothing");
  CHECK(wanted("md5=10, sha-512=2;x=y") == "sha-512");
  for (const char* value : {"", "sha-256=0", "md5=10", "sha-256", "sha-256=11", "sha-256=-1", "sha-256=1.0",
                            "sha-256=9, sha-512=", "sha-256=\"5\"", "SHA-256=5", "sha-256=9,"}) {
    CAPTURE(value);
    CHECK(wanted(value) == "nothing");
  }
  CHECK_FALSE(wanted_digest(head_of({{"Want-Content-Digest", "sha-256=1"}}), "Want-Repr-Digest"));
}

}  // namespace forklift
