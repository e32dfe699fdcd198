#include "worker/routes/files.h"

#include <optional>

#include "worker/storage/safe_path.h"

namespace forklift {
namespace {

constexpr std::string_view kPrefix = "/files/";

Result<std::string> name_of(const RequestHead& head) { return decode_name(head.path.substr(kPrefix.size())); }

std::optional<Problem> judge_preconditions(const RequestHead& head, bool may_create_only) {
  const std::string_view none_match = head.field("If-None-Match");
  const bool known = none_match.empty() || (may_create_only && none_match == "*");
  if (known && head.field("If-Match").empty() && head.field("If-Unmodified-Since").empty()) return {};
  return Problem{
      501, "precondition-unknown", "Of all preconditions this server knows PUT with If-None-Match: *.", {}};
}

}  // namespace

Reply get_file(const RouteOptions& options, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  return Send{*std::move(name), options.download_strategy, false};
}

Reply put_file(const RouteOptions& options, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  if (*name == kUploadDirectory) return problem_of({ErrorCode::kConflict, "put"});
  if (!head.field("Content-Range").empty()) {
    return Problem{400, "content-range", "A file is put whole, never as a range of it.", {}};
  }
  if (auto problem = judge_preconditions(head, true)) return *std::move(problem);
  const bool create_only = !head.field("If-None-Match").empty();
  return Receive{{*std::move(name), create_only ? PublishMode::kCreateOnly : PublishMode::kReplace},
                 options.upload_strategy,
                 StoredStyle::kPut};
}

Reply delete_file(const RouteOptions&, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  if (auto problem = judge_preconditions(head, false)) return *std::move(problem);
  return Remove{*std::move(name)};
}

}  // namespace forklift
