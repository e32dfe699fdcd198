#pragma once

#include <string>
#include <string_view>

#include "worker/download/body_source.h"
#include "worker/upload/form.h"

namespace forklift {

/// {"file_path": …, "size": …, "durability": …}; what lay in memory has no path: null, and "memory"
std::string stored_json(const Stored& stored);

/// The first file as stored_json, then {"files": [{"field", "filename", "file_path", "size"} …], "fields":
/// [{"name", "value"} …]}.
std::string form_json(const FormContent& form);

/// Letters, digits and "-._~/" as they are, every other byte as %XX (RFC 3986, 2.1).
void append_percent_encoded(std::string& out, std::string_view text);

/// Where a file can be had: "/files/<name>", percent-encoded (RFC 3986, 2.1).
std::string location_of(std::string_view name);

}  // namespace forklift
