#include "worker/routes/files.h"

#include "worker/http/preconditions.h"
#include "worker/routes/query.h"
#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

constexpr std::string_view kPrefix = "/files/";

Result<std::string> name_of(const RequestHead& head) { return decode_name(head.path.substr(kPrefix.size())); }

}  // namespace

Reply get_file(const RouteOptions& options, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  const bool attachment = query_value(head.query, "download").has_value();
  return Send{*std::move(name), options.download_strategy, false, attachment};
}

Reply put_file(const RouteOptions& options, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  if (*name == kUploadDirectory) return problem_of({ErrorCode::kConflict, "put"});
  if (!head.field("Content-Range").empty()) {
    return Problem{400, "content-range", "A file is put whole, never as a range of it.", {}};
  }
  const bool create_only = head.field("If-None-Match") == "*";
  Receive receive{{*std::move(name), create_only ? PublishMode::kCreateOnly : PublishMode::kReplace},
                  options.upload_strategy,
                  StoredStyle::kPut};
  receive.conditional = has_conditions(head);
  return receive;
}

Reply delete_file(const RouteOptions&, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  return Remove{*std::move(name), has_conditions(head)};
}

}  // namespace forklift
