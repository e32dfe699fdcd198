#include "worker/routes/files.h"

#include "common/ascii.h"
#include "worker/http/preconditions.h"
#include "worker/routes/query.h"
#include "worker/storage/safe_path.h"
#include "worker/upload/form.h"

namespace forklift {
namespace {

constexpr std::string_view kPrefix = "/files/";

Result<std::string> name_of(const RequestHead& head) { return decode_name(head.path.substr(kPrefix.size())); }

/// Of a file that may be there.
Result<std::string> file_name_of(const RequestHead& head) {
  auto name = name_of(head);
  if (name && *name == kUploadDirectory) return Error{ErrorCode::kReservedName, "name"};
  return name;
}

/// Of a path that ends in '/'; empty: the root.
Result<std::string> directory_of(const RequestHead& head) {
  std::string_view encoded = head.path.substr(kPrefix.size());
  if (encoded.empty()) return std::string();
  encoded.remove_suffix(1);
  return decode_name(encoded);
}

Problem no_ranges() { return {400, "content-range", "A file is put whole, never as a range of it.", {}}; }

bool is_form(const RequestHead& head) {
  constexpr std::string_view kForm = "multipart/form-data";
  return equal_ignoring_case(head.field("Content-Type").substr(0, kForm.size()), kForm);
}

}  // namespace

Reply get_file(const RouteOptions& options, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  const bool attachment = query_value(head.query, "download").has_value();
  return Send{*std::move(name), options.download_strategy, false, attachment};
}

Reply put_file(const RouteOptions& options, const Route&, const RequestHead& head) {
  auto name = file_name_of(head);
  if (!name) return problem_of(name.error());
  if (!head.field("Content-Range").empty()) return no_ranges();
  const bool create_only = head.field("If-None-Match") == "*";
  Receive receive{{*std::move(name), create_only ? PublishMode::kCreateOnly : PublishMode::kReplace},
                  options.upload_strategy,
                  StoredStyle::kPut};
  receive.conditional = has_conditions(head);
  return receive;
}

Reply post_files(const RouteOptions& options, const Route&, const RequestHead& head) {
  auto directory = directory_of(head);
  if (!directory) return problem_of(directory.error());
  if (!head.field("Content-Range").empty()) return no_ranges();
  Receive receive{{*std::move(directory), PublishMode::kFresh}, options.upload_strategy, StoredStyle::kPut};
  if (!is_form(head)) return receive;
  receive.boundary = form_boundary(head.field("Content-Type"));
  if (receive.boundary.empty()) return form_expected();
  receive.format = BodyFormat::kForm;
  receive.target.mode = PublishMode::kCreateOnly;
  receive.strategy = &seeing_bytes(*receive.strategy);
  return receive;
}

Reply delete_file(const RouteOptions&, const Route&, const RequestHead& head) {
  auto name = name_of(head);
  if (!name) return problem_of(name.error());
  return Remove{*std::move(name), has_conditions(head)};
}

Reply options_of_file(const RouteOptions&, const Route& route, const RequestHead& head) {
  if (const auto name = file_name_of(head); !name) return problem_of(name.error());
  return options_of(route.allow);
}

Reply options_of_directory(const RouteOptions&, const Route& route, const RequestHead& head) {
  if (const auto directory = directory_of(head); !directory) return problem_of(directory.error());
  return options_of(route.allow);
}

}  // namespace forklift
