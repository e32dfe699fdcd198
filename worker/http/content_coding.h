#pragma once

#include "worker/http/request_head.h"

namespace forklift {

/// Whether the body is said to be other than the bytes of the file, as by gzip: Content-Encoding with
/// anything but "identity" (RFC 9110, 8.4). No allocation.
bool has_content_coding(const RequestHead& head);

}  // namespace forklift
