#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "worker/download/strategies.h"
#include "worker/http/problem.h"
#include "worker/http/request_head.h"
#include "worker/storage/digest.h"
#include "worker/upload/strategies.h"

namespace forklift {

/// How the answer to a stored upload looks.
enum class StoredStyle : std::uint8_t {
  kArticle,  // 200, {"file_path": …, "size": …, "durability": …}
  kPut,      // 201 with Location, or 204 where a file was replaced (RFC 9110, 9.3.4)
};

/// What the body of an upload is.
enum class BodyFormat : std::uint8_t {
  kRaw,   // the file
  kForm,  // multipart/form-data (RFC 7578)
  kJson,  // {"file": "<base64>"}
};

/// Answer this, now. For HEAD the head alone.
struct Answer {
  int status = 200;
  std::string_view content_type;  // a literal; empty: no body
  std::string body;
  std::string_view allow;  // a literal: the Allow header of an answer to OPTIONS
};

/// Take the request's body, or the files in it, into `target`, then answer in `style`. `conditional`: only if
/// the head's preconditions hold of what stands there; they are judged before any of the body is taken, and
/// again at commit. The connection adds what the head says of every body: the digests it claims.
struct Receive {
  UploadTarget target;
  const SinkStrategy* strategy;
  StoredStyle style;
  BodyFormat format = BodyFormat::kRaw;
  std::string boundary = {};  // of a form
  bool conditional = false;
  std::vector<Digest> digests = {};
};

/// Send the file `name`, or what the head's preconditions and ranges ask of it. For HEAD the head alone.
struct Send {
  std::string name;
  const SourceStrategy* strategy;
  bool sample = false;      // send the file of --sample instead; `name` is empty
  bool attachment = false;  // to be saved by its name: Content-Disposition
};

/// Remove the file `name`, then answer 204. `conditional` as for Receive.
struct Remove {
  std::string name;
  bool conditional = false;
};

/// Name files: one page of those whose names begin with `prefix` and come after `after`.
struct List {
  std::string prefix;
  std::string after;
  std::size_t limit = 0;
  bool html = false;  // else JSON
};

/// What a route decides: plain data. The connection does it.
using Reply = std::variant<Answer, Receive, Send, Remove, List, Problem>;

/// The decision over a request: pure, no socket, no loop, no clock. Implemented by routes/table.
class Router {
 public:
  virtual Reply route(const RequestHead& head) const = 0;

 protected:
  ~Router() = default;
};

}  // namespace forklift
