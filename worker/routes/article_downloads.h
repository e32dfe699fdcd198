#pragma once

#include "worker/routes/table.h"

namespace forklift {

/// GET and HEAD /files/download/…?name=NAME: sends that file; without a name, the sample. Each path has its
/// own strategy, so that they can be compared.
Reply download_by_article(const RouteOptions& options, const Route& route, const RequestHead& head);

}  // namespace forklift
