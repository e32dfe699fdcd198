#pragma once

#include "worker/routes/table.h"

namespace forklift {

// /files/NAME: the file itself (RFC 9110, 9.3). NAME may have parts; it is decoded once and checked.

/// GET and HEAD, with ranges and preconditions. With ?download the answer has Content-Disposition:
/// attachment, so that a browser saves it by its name; without, it has none, as with nginx and S3: what to do
/// with a file is the page's choice that links to it.
Reply get_file(const RouteOptions& options, const Route& route, const RequestHead& head);

/// PUT: 201 new, 204 replaced. `If-None-Match: *` creates only: 412 when the name is taken. Content-Range is
/// 400, since a piece must not pass for the whole (RFC 9110, 14.5).
Reply put_file(const RouteOptions& options, const Route& route, const RequestHead& head);

/// POST /files/ and /files/DIR/: 201. Of a form every file gets the last part of its filename as name in that
/// directory, and replaces none; any other body is a file whose name the server makes.
Reply post_files(const RouteOptions& options, const Route& route, const RequestHead& head);

/// DELETE; preconditions as for PUT.
Reply delete_file(const RouteOptions& options, const Route& route, const RequestHead& head);

/// OPTIONS: no methods for a name that no file can have, but the same refusal as theirs.
Reply options_of_file(const RouteOptions& options, const Route& route, const RequestHead& head);
Reply options_of_directory(const RouteOptions& options, const Route& route, const RequestHead& head);

}  // namespace forklift
