#include "worker/http/preconditions.h"

#include <algorithm>

#include "common/ascii.h"
#include "worker/http/entity_tag.h"
#include "worker/http/http_date.h"
#include "worker/http/joined_field.h"

namespace forklift {
namespace {

using Verdict = Precondition::Verdict;

/// An upload carries no more of them about.
constexpr std::size_t kTagsKeptMax = 16;

/// A field of entity tags, with the text its tags are views on.
class TagField {
 public:
  TagField(const RequestHead& head, std::string_view name) : text_(joined_field(head, name)) {
    if (text_) list_ = parse_entity_tags(*text_);
  }
  TagField(const TagField&) = delete;
  TagField& operator=(const TagField&) = delete;

  bool present() const { return text_.has_value(); }
  bool readable() const { return list_.has_value(); }
  bool any() const { return list_ && list_->any; }
  const std::vector<EntityTag>& tags() const { return list_->tags; }

  /// "*" and a file that is there, or a tag that is its own.
  template <typename Match>
  bool matches(const std::optional<Validators>& current, Match match) const {
    if (!list_ || !current) return false;
    const EntityTag own{current->etag, false};
    return list_->any ||
           std::any_of(tags().begin(), tags().end(), [&](const EntityTag& tag) { return match(tag, own); });
  }

 private:
  std::optional<std::string> text_;
  std::optional<EntityTagList> list_;
};

/// The four fields, and what they are judged by.
struct Conditions {
  Conditions(const RequestHead& head, const std::optional<Validators>& validators, std::time_t now)
      : reads(head.method == Method::kGet || head.method == Method::kHead),
        current(validators),
        if_match(head, "If-Match"),
        if_none_match(head, "If-None-Match"),
        unmodified_since(date_of(head, "If-Unmodified-Since", now)),
        modified_since(date_of(head, "If-Modified-Since", now)) {}

  static std::optional<std::time_t> date_of(const RequestHead& head, std::string_view name, std::time_t now) {
    const auto text = joined_field(head, name);
    return text ? parse_http_date(*text, now) : std::nullopt;
  }

  bool reads;
  const std::optional<Validators>& current;
  TagField if_match;
  TagField if_none_match;
  std::optional<std::time_t> unmodified_since;
  std::optional<std::time_t> modified_since;
};

Precondition failed(const char* why) { return {Verdict::kFailed, why, {}}; }

/// Steps 1 and 2 of RFC 9110, 13.2.2: may it be this file at all?
const char* refusal_of_state(const Conditions& asked) {
  if (asked.if_match.present()) {
    if (!asked.if_match.readable()) return "If-Match must be * or entity tags in quotes.";
    if (asked.if_match.matches(asked.current, match_strongly)) return nullptr;
    return asked.current ? "The file is not the one that If-Match names."
                         : "If-Match wants a file; there is none.";
  }
  if (!asked.unmodified_since || !asked.current) return nullptr;
  if (asked.current->last_modified <= *asked.unmodified_since) return nullptr;
  return "The file was modified after the date of If-Unmodified-Since.";
}

/// Steps 3 and 4: does the client have it already, or did it hope for none?
Precondition judge_novelty(const Conditions& asked) {
  if (asked.if_none_match.present()) {
    if (!asked.if_none_match.readable() && !asked.reads) {
      return failed("If-None-Match must be * or entity tags in quotes.");
    }
    if (!asked.if_none_match.matches(asked.current, match_weakly)) return {};
    if (asked.reads) return {Verdict::kNotModified, "", {}};
    return failed(asked.if_none_match.any() ? "There is a file of that name; If-None-Match: * wants none."
                                            : "The file is one that If-None-Match names.");
  }
  const bool unchanged = asked.reads && asked.modified_since && asked.current &&
                         asked.current->last_modified <= *asked.modified_since;
  return {unchanged ? Verdict::kNotModified : Verdict::kProceed, "", {}};
}

ExpectedState one_of(const std::vector<EntityTag>& tags) {
  ExpectedState expected{ExpectedState::Kind::kOneOf};
  for (const EntityTag& tag : tags) {
    if (!tag.weak) expected.etags.emplace_back(tag.opaque);
  }
  return expected;
}

/// Of conditions that held, or that wait for a file to delete.
ExpectedState expected_of(const Conditions& asked) {
  const TagField& if_match = asked.if_match;
  if (if_match.readable() && !asked.if_none_match.present()) {
    if (if_match.any()) return {ExpectedState::Kind::kPresent};
    if (if_match.tags().size() <= kTagsKeptMax) return one_of(if_match.tags());
  }
  const bool none = !if_match.present() && !asked.if_none_match.present() && !asked.unmodified_since;
  if (none) return {};
  if (!asked.current) return {ExpectedState::Kind::kAbsent};
  return {ExpectedState::Kind::kOneOf, {asked.current->etag}};
}

}  // namespace

bool has_conditions(const RequestHead& head) {
  return std::any_of(head.fields.begin(), head.fields.end(), [](const HeaderField& field) {
    return equal_ignoring_case(field.name.substr(0, 3), "If-") || equal_ignoring_case(field.name, "Range");
  });
}

Precondition judge_preconditions(const RequestHead& head, const std::optional<Validators>& current,
                                 std::time_t now) {
  const bool reads = head.method == Method::kGet || head.method == Method::kHead;
  const bool writes = head.method == Method::kPut || head.method == Method::kDelete;
  if (!reads && !writes) return {};
  if (reads && !current) return {};
  const Conditions asked(head, current, now);
  const bool in_vain = head.method == Method::kDelete && !current;
  if (!in_vain) {
    if (const char* why = refusal_of_state(asked)) return failed(why);
    if (Precondition judged = judge_novelty(asked); judged.verdict != Verdict::kProceed) return judged;
  }
  Precondition precondition;
  if (writes) precondition.expected = expected_of(asked);
  return precondition;
}

}  // namespace forklift
