#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "worker/http/problem.h"
#include "worker/http/request_head.h"
#include "worker/storage/digest.h"

namespace forklift {

/// The digests that Repr-Digest or Content-Digest (RFC 9530) claims, each algorithm at most once; md5 and
/// whatever else this server does not compute is skipped. What can't be read is refused with 400: a client
/// that wants its bytes checked must not believe that they were.
Result<std::vector<Digest>, Problem> claimed_digests(const RequestHead& head, std::string_view field_name);

/// The one that Content-MD5 (RFC 1864) claims. Empty where there is no such field.
Result<std::vector<Digest>, Problem> claimed_md5(const RequestHead& head);

/// All that a request claims of its content, where that is the file itself (PUT, and POST of raw bytes):
/// Repr-Digest, Content-Digest and Content-MD5. Each must hold, so claims that contradict each other fail.
Result<std::vector<Digest>, Problem> claimed_digests(const RequestHead& head);

/// What Want-Repr-Digest or Want-Content-Digest likes best of what this server computes: the highest weight
/// from 1 to 10, of equals sha-256. None where it wants none of them, or can't be read: that is a wish, not a
/// condition (RFC 8941, 4.2 lets one ignore it).
std::optional<DigestAlgorithm> wanted_digest(const RequestHead& head, std::string_view field_name);

/// The value of Repr-Digest or Content-Digest: "sha-256=:…:".
std::string format_digest(const Digest& digest);

}  // namespace forklift
