#pragma once

#include <string>
#include <string_view>

#include "worker/download/body_source.h"
#include "worker/upload/form.h"

namespace forklift {

/// The strategy that wrote it; `asked` where no other did.
std::string_view strategy_of(const Stored& stored, std::string_view asked);

/// How far it has gone: "none", "data", "full", or "memory" for what is gone after the reply.
std::string_view durability_text(const Stored& stored);

/// {"file_path": …, "size": …, "durability": …, "strategy": …}; what lay in memory has no path: null, and
/// "memory". `asked`: the strategy that was to write it.
std::string stored_json(const Stored& stored, std::string_view asked);

/// The first file as stored_json, then {"files": [{"field", "filename", and as stored_json} …], "fields":
/// [{"name", "value"} …]}.
std::string form_json(const FormContent& form, std::string_view asked);

/// Letters, digits and "-._~/" as they are, every other byte as %XX (RFC 3986, 2.1).
void append_percent_encoded(std::string& out, std::string_view text);

/// Where a file can be had: "/files/<name>", percent-encoded (RFC 3986, 2.1).
std::string location_of(std::string_view name);

}  // namespace forklift
