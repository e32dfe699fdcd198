#pragma once

#include <memory>
#include <vector>

#include "worker/storage/digest.h"
#include "worker/upload/body_sink.h"

namespace forklift {

/// A sink that digests a body on its way into `inner`, whose strategy must see the bytes, and holds it
/// against every digest that was claimed, before `inner` makes anything durable: kDigestMismatch where one is
/// another, and nothing is stored. The bytes are digested on the loop thread, chunk by chunk, where they lie.
std::unique_ptr<BodySink> make_digest_sink(const UploadServices& services, Resumer& resumer,
                                           std::unique_ptr<BodySink> inner, std::vector<Digest> claimed);

}  // namespace forklift
