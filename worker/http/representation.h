#pragma once

#include <string>

#include "worker/download/body_source.h"
#include "worker/upload/form.h"

namespace forklift {

/// {"file_path": …, "size": …, "durability": …}; what lay in memory has no path: null, and "memory"
std::string stored_json(const Stored& stored);

/// The first file as stored_json, then {"files": [{"field", "filename", "file_path", "size"} …], "fields":
/// [{"name", "value"} …]}.
std::string form_json(const FormContent& form);

/// Where a stored file can be had: "/files/<file_path>", percent-encoded (RFC 3986, 2.1).
std::string location_of(const Stored& stored);

}  // namespace forklift
