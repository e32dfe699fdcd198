#pragma once

#include "worker/routes/table.h"

namespace forklift {

/// POST /files/upload/…: a body becomes files with fresh names in "uploads". Each path has its own strategy
/// and its own format of the body, so that they can be compared.
Reply upload_by_article(const RouteOptions& options, const Route& route, const RequestHead& head);

}  // namespace forklift
