#include <algorithm>
#include <ctime>
#include <utility>

#include "worker/http/connection.h"
#include "worker/http/preconditions.h"

namespace forklift {

namespace {

/// Empty where there is no file.
std::string tag_of(const std::optional<FileVersion>& there) {
  return there ? etag_of(*there) : std::string();
}

}  // namespace

/// On the loop where the strategy's file calls run there too, as they are as many again.
Flow Connection::look_first(Receive&& receive) {
  const FileStore& store = services_.uploads.store;
  if (receive.strategy->blocks_loop) {
    const auto there = store.look(receive.target.name);
    return judge(std::move(receive), there);
  }
  const std::string name = receive.target.name;
  return look_on_pool(std::move(receive), name);
}

Flow Connection::look_first(Remove&& remove) {
  const std::string name = remove.name;
  return look_on_pool(std::move(remove), name);
}

template <typename Wanted>
Flow Connection::look_on_pool(Wanted&& wanted, const std::string& name) {
  const FileStore& store = services_.uploads.store;
  Resumer& resumer = *this;
  exchange_.judgement = std::make_unique<Judgement>(std::move(wanted), services_.uploads.disk, resumer,
                                                    [&store, name] { return store.look(name); });
  phase_ = Phase::kJudge;
  return Flow::kMore;
}

Flow Connection::step_judge() {
  const auto& outcome = exchange_.judgement->look.outcome();
  if (!outcome) return Flow::kWaitDisk;
  const auto judgement = std::move(exchange_.judgement);
  return std::visit([&](auto&& wanted) { return judge(std::move(wanted), *judgement->look.outcome()); },
                    std::move(judgement->wanted));
}

Flow Connection::judge(Receive&& receive, const Result<std::optional<FileVersion>>& there) {
  if (!there) return fail(there.error());
  Precondition judged = judged_of(*there);
  if (judged.verdict == Precondition::Verdict::kProceed) {
    return proceed(std::move(receive), std::move(judged.expected));
  }
  const bool exists = receive.target.mode == PublishMode::kCreateOnly;
  return refuse({412, exists ? "exists" : "precondition", judged.why, {}, "", tag_of(*there)});
}

Flow Connection::judge(Remove&& remove, const Result<std::optional<FileVersion>>& there) {
  // There is nothing to be removed, and the remover says why; unless there is by then, which nobody judged.
  if (!there || !*there) return proceed(std::move(remove), {ExpectedState::Kind::kAbsent});
  Precondition judged = judged_of(*there);
  if (judged.verdict == Precondition::Verdict::kProceed) {
    return proceed(std::move(remove), std::move(judged.expected));
  }
  return refuse({412, "precondition", judged.why, {}, "", tag_of(*there)});
}

Precondition Connection::judged_of(const std::optional<FileVersion>& there) const {
  const std::time_t now = std::time(nullptr);
  std::optional<Validators> current;
  if (there) current = Validators{etag_of(*there), std::min<std::time_t>(there->modified.tv_sec, now)};
  return judge_preconditions(parser_.head(), current, now);
}

}  // namespace forklift
