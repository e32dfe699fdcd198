#pragma once

#include "worker/routes/table.h"

namespace forklift {

/// GET /healthz: whoever reads this has reached a worker whose loop turns.
Reply say_healthy(const RouteOptions& options, const Route& route, const RequestHead& head);

}  // namespace forklift
