#pragma once

#include <string>

#include "worker/download/body_source.h"
#include "worker/upload/body_sink.h"

namespace forklift {

/// {"file_path": …, "size": …, "durability": …}
std::string stored_json(const Stored& stored);

/// Where a stored file can be had: "/files/<file_path>", percent-encoded (RFC 3986, 2.1).
std::string location_of(const Stored& stored);

/// A strong validator (RFC 9110, 8.8.3): replacing a file, or writing to it, changes it. With its quotes.
std::string etag_of(const OpenedFile& file);

}  // namespace forklift
