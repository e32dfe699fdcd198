#pragma once

#include "worker/routes/table.h"

namespace forklift {

// POST /files/upload/stream/…: a raw body becomes a file with a fresh name in "uploads". Each path has its
// own strategy, so that they can be compared.

/// …/async_read_and_disk_write
Reply upload_through_blocking(const RouteOptions& options, const RequestHead& head);

/// …/async_read_and_async_write
Reply upload_through_pool(const RouteOptions& options, const RequestHead& head);

}  // namespace forklift
