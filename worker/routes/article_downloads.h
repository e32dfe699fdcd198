#pragma once

#include "worker/routes/table.h"

namespace forklift {

// GET and HEAD /files/download/…?name=NAME: sends that file; without a name, the sample. Each path has its
// own strategy, so that they can be compared.

/// …/file
Reply download_through_sendfile(const RouteOptions& options, const RequestHead& head);

/// …/stream/sync_read
Reply download_through_copy(const RouteOptions& options, const RequestHead& head);

}  // namespace forklift
