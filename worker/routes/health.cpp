#include "worker/routes/health.h"

namespace forklift {

Reply say_healthy(const RouteOptions&, const Route&, const RequestHead&) {
  return Answer{200, "application/json", R"({"status":"ok"})", {}};
}

}  // namespace forklift
