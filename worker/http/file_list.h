#pragma once

#include <string>
#include <string_view>

#include "worker/download/body_source.h"
#include "worker/http/reply.h"

namespace forklift {

// A page of a listing as an answer. Pure; any thread.

inline constexpr std::string_view kFileListJsonType = "application/json";
inline constexpr std::string_view kFileListHtmlType = "text/html; charset=utf-8";

/// Header lines of both: there are two forms, both change with every upload, and the page needs nothing but
/// its own style.
inline constexpr std::string_view kFileListFields =
    "Vary: Accept\r\n"
    "Cache-Control: no-cache\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n";

/// {"files": [{"file_path", "url", "size", "modified", "etag"} …], "next": …}: "url" is percent-encoded, so
/// exact where a name is no UTF-8; "modified" is RFC 3339 in UTC; "next" is the URL of the next page, null on
/// the last.
std::string file_list_json(const List& asked, const Listing& listing);

/// The same as a page that needs no script.
std::string file_list_html(const List& asked, const Listing& listing);

}  // namespace forklift
