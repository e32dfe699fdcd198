#pragma once

#include "worker/routes/table.h"

namespace forklift {

/// GET and HEAD /files/?prefix=&limit=&after=: names files in the order of their names' bytes, 1000 at a time
/// unless `limit` says less. HTML for those who accept text/html by name and like it no less than JSON, which
/// everybody else gets. Other keys, and
/// keys given twice, are 400: what is left out by mistake would name everything.
Reply list_by_prefix(const RouteOptions& options, const Route& route, const RequestHead& head);

}  // namespace forklift
