#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "worker/http/parser.h"
#include "worker/routes/table.h"
#include "worker/storage/safe_path.h"

namespace {

using namespace forklift;

void must(bool holds) {
  if (!holds) std::abort();
}

void check_name_is_safe(const std::string& name) {
  must(check_name(name).ok());
  must(name.front() != '/' && ("/" + name + "/").find("/../") == std::string::npos);
  must(name.substr(0, name.find('/')) != kPrivateDirectory);
}

struct Check {
  void operator()(const Answer& answer) const { must(answer.status == 200 || answer.status == 204); }
  void operator()(const Receive& receive) const {
    must(receive.strategy != nullptr);
    const bool in_root = receive.target.name.empty();
    must(!in_root || receive.target.mode == PublishMode::kFresh || receive.format == BodyFormat::kForm);
    if (!in_root) check_name_is_safe(receive.target.name);
  }
  void operator()(const Send& send) const {
    must(send.strategy != nullptr && send.sample == send.name.empty());
    if (!send.sample) check_name_is_safe(send.name);
  }
  void operator()(const Remove& remove) const { check_name_is_safe(remove.name); }
  void operator()(const List& list) const { must(list.limit >= 1 && list.limit <= 1000); }
  void operator()(const Problem& problem) const {
    must(problem.status >= 400 && problem.status <= 501);
    must((problem.status == 405) == !problem.allow.empty());
    const std::string json = problem_json(problem, "id");
    must(json.find('\n') == json.size() - 1);
  }
};

}  // namespace

/// Whatever head comes, the decision names files below the root only. The first byte says whether every
/// strategy works.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  RequestParser parser{Limits()};
  const std::span<const std::uint8_t> head(data + 1, size - 1);
  if (parser.feed_head(std::as_bytes(head)).state != RequestParser::HeadState::kComplete) return 0;
  RouteOptions options{find_sink_strategy("blocking"), find_source_strategy("sendfile")};
  if (data[0] % 2 == 1) options.missing_uploads = {"direct", "uring"};
  std::visit(Check(), RouteTable(std::move(options)).route(parser.head()));
  return 0;
}
