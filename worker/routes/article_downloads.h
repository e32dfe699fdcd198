#pragma once

#include "worker/routes/table.h"

namespace forklift {

/// GET and HEAD /files/download/…?name=NAME: sends that file; without a query, the sample. A query without a
/// name is 400, since a key that is misspelt must not get another file. Each path has its own strategy, so
/// that they can be compared.
Reply download_by_article(const RouteOptions& options, const Route& route, const RequestHead& head);

}  // namespace forklift
