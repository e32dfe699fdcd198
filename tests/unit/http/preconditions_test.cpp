#include "worker/http/preconditions.h"

#include <random>

#include "support/catch.h"

namespace forklift {
namespace {

using Verdict = Precondition::Verdict;
using Kind = ExpectedState::Kind;
using Fields = std::vector<HeaderField>;

constexpr std::time_t kNow = 1704067200;
constexpr const char* kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kThen = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";

const std::optional<Validators> kFile = Validators{"\"own\"", 784111777};
const std::optional<Validators> kNoFile;

Precondition judge(Method method, const Fields& fields, const std::optional<Validators>& current = kFile) {
  RequestHead head;
  head.method = method;
  head.fields = fields;
  return judge_preconditions(head, current, kNow);
}

Verdict verdict(Method method, const Fields& fields, const std::optional<Validators>& current = kFile) {
  return judge(method, fields, current).verdict;
}

ExpectedState expected(Method method, const Fields& fields,
                       const std::optional<Validators>& current = kFile) {
  const Precondition judged = judge(method, fields, current);
  REQUIRE(judged.verdict == Verdict::kProceed);
  return judged.expected;
}

constexpr Method kReads[] = {Method::kGet, Method::kHead};
constexpr Method kWrites[] = {Method::kPut, Method::kDelete};

}  // namespace

TEST_CASE("a request without conditions proceeds and expects nothing") {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPut, Method::kDelete}) {
    CHECK(expected(method, {}).kind == Kind::kAny);
    CHECK(expected(method, {}, kNoFile).kind == Kind::kAny);
  }
}

TEST_CASE("If-None-Match of a client that has the file spares it the bytes") {
  for (const Method method : kReads) {
    CHECK(verdict(method, {{"If-None-Match", "\"own\""}}) == Verdict::kNotModified);
    CHECK(verdict(method, {{"if-none-match", "W/\"own\""}}) == Verdict::kNotModified);
    CHECK(verdict(method, {{"If-None-Match", "\"a\", \"own\""}}) == Verdict::kNotModified);
    CHECK(verdict(method, {{"If-None-Match", "\"a\""}, {"If-None-Match", "\"own\""}}) ==
          Verdict::kNotModified);
    CHECK(verdict(method, {{"If-None-Match", "*"}}) == Verdict::kNotModified);
    CHECK(verdict(method, {{"If-None-Match", "\"a\""}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-None-Match", "\"OWN\""}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-None-Match", "own"}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-None-Match", ""}}) == Verdict::kProceed);
  }
}

TEST_CASE("If-Modified-Since counts seconds, and only where no tags are given") {
  for (const Method method : kReads) {
    CHECK(verdict(method, {{"If-Modified-Since", kBefore}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Modified-Since", kThen}}) == Verdict::kNotModified);
    CHECK(verdict(method, {{"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}}) == Verdict::kNotModified);
    CHECK(verdict(method, {{"If-Modified-Since", kAfter}}) == Verdict::kNotModified);
    CHECK(verdict(method, {{"If-Modified-Since", "yesterday"}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Modified-Since", kThen}, {"If-Modified-Since", kThen}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Modified-Since", kThen}, {"If-None-Match", "\"a\""}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Modified-Since", kBefore}, {"If-None-Match", "\"own\""}}) ==
          Verdict::kNotModified);
  }
  for (const Method method : kWrites)
    CHECK(verdict(method, {{"If-Modified-Since", kThen}}) == Verdict::kProceed);
}

TEST_CASE("If-Match wants the very file that is there") {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPut, Method::kDelete}) {
    CHECK(verdict(method, {{"If-Match", "\"own\""}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Match", "\"a\",\"own\""}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Match", "*"}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Match", "W/\"own\""}}) == Verdict::kFailed);
    CHECK(verdict(method, {{"If-Match", "\"a\""}}) == Verdict::kFailed);
    CHECK(verdict(method, {{"If-Match", "own"}}) == Verdict::kFailed);
    CHECK(verdict(method, {{"If-Match", ""}}) == Verdict::kFailed);
  }
}

TEST_CASE("If-Unmodified-Since fails where the file is younger, and only where If-Match is silent") {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPut, Method::kDelete}) {
    CHECK(verdict(method, {{"If-Unmodified-Since", kBefore}}) == Verdict::kFailed);
    CHECK(verdict(method, {{"If-Unmodified-Since", kThen}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Unmodified-Since", kAfter}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Unmodified-Since", "1994"}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Unmodified-Since", kBefore}, {"If-Match", "\"own\""}}) == Verdict::kProceed);
    CHECK(verdict(method, {{"If-Unmodified-Since", kAfter}, {"If-Match", "\"a\""}}) == Verdict::kFailed);
  }
}

TEST_CASE("a failed If-Match is said before an unchanged file is") {
  CHECK(verdict(Method::kGet, {{"If-None-Match", "\"own\""}, {"If-Match", "\"a\""}}) == Verdict::kFailed);
  CHECK(verdict(Method::kGet, {{"If-None-Match", "\"own\""}, {"If-Match", "\"own\""}}) ==
        Verdict::kNotModified);
  CHECK(verdict(Method::kGet, {{"If-Modified-Since", kThen}, {"If-Unmodified-Since", kBefore}}) ==
        Verdict::kFailed);
  CHECK(verdict(Method::kGet, {{"If-Modified-Since", kThen}, {"If-Unmodified-Since", kThen}}) ==
        Verdict::kNotModified);
}

TEST_CASE("If-None-Match: * creates and never replaces") {
  CHECK(verdict(Method::kPut, {{"If-None-Match", "*"}}) == Verdict::kFailed);
  CHECK(expected(Method::kPut, {{"If-None-Match", "*"}}, kNoFile).kind == Kind::kAbsent);
  CHECK(verdict(Method::kPut, {{"If-None-Match", "*"}, {"If-Match", "*"}}) == Verdict::kFailed);
  CHECK(verdict(Method::kPut, {{"If-None-Match", "*"}, {"If-Match", "*"}}, kNoFile) == Verdict::kFailed);
}

TEST_CASE("a PUT whose condition can't be read is not done") {
  CHECK(verdict(Method::kPut, {{"If-None-Match", "own"}}) == Verdict::kFailed);
  CHECK(verdict(Method::kPut, {{"If-None-Match", "*"}, {"If-None-Match", "*"}}, kNoFile) == Verdict::kFailed);
  CHECK(verdict(Method::kPut, {{"If-Match", "own"}}, kNoFile) == Verdict::kFailed);
  CHECK(verdict(Method::kDelete, {{"If-None-Match", "own"}}) == Verdict::kFailed);
}

TEST_CASE("a condition that failed says which, in a sentence") {
  CHECK(std::string(judge(Method::kPut, {{"If-Match", "\"a\""}}).why).find("If-Match") != std::string::npos);
  CHECK(std::string(judge(Method::kPut, {{"If-Match", "*"}}, kNoFile).why).find("none") != std::string::npos);
  CHECK(std::string(judge(Method::kPut, {{"If-Match", "x"}}).why).find("quotes") != std::string::npos);
  CHECK(std::string(judge(Method::kPut, {{"If-None-Match", "\"own\""}}).why).find("names") !=
        std::string::npos);
  CHECK(std::string(judge(Method::kGet, {}).why).empty());
}

TEST_CASE("If-Match is to hold again at commit") {
  const ExpectedState listed = expected(Method::kPut, {{"If-Match", "\"a\", W/\"b\", \"own\""}});
  CHECK(listed.kind == Kind::kOneOf);
  CHECK(listed.etags == std::vector<std::string>{"\"a\"", "\"own\""});
  CHECK(listed.holds("\"a\""));
  CHECK_FALSE(listed.holds("\"b\""));
  CHECK_FALSE(listed.holds(std::nullopt));
  const ExpectedState any = expected(Method::kDelete, {{"If-Match", "*"}});
  CHECK(any.kind == Kind::kPresent);
  CHECK(any.holds("\"other\""));
  CHECK_FALSE(any.holds(std::nullopt));
  const ExpectedState none = expected(Method::kPut, {{"If-None-Match", "*"}}, kNoFile);
  CHECK(none.holds(std::nullopt));
  CHECK_FALSE(none.holds("\"own\""));
  CHECK(expected(Method::kGet, {{"If-Match", "*"}}).kind == Kind::kAny);
}

TEST_CASE("a long If-Match is carried as the one tag that held") {
  std::string many = "\"own\"";
  for (int i = 0; i < 15; ++i) many += ",\"" + std::to_string(i) + "\"";
  CHECK(expected(Method::kPut, {{"If-Match", many}}).etags.size() == 16);
  many += ",\"one more\"";
  CHECK(verdict(Method::kPut, {{"If-Match", many}}) == Verdict::kFailed);
  many.replace(many.find("one more"), 8, "one_more");
  CHECK(expected(Method::kPut, {{"If-Match", many}}).etags == std::vector<std::string>{"\"own\""});
}

TEST_CASE("whatever else held means the file that it was judged by") {
  const std::vector<std::string> own{"\"own\""};
  CHECK(expected(Method::kPut, {{"If-Unmodified-Since", kThen}}).etags == own);
  CHECK(expected(Method::kPut, {{"If-None-Match", "\"a\""}}).etags == own);
  CHECK(expected(Method::kPut, {{"If-None-Match", "\"a\""}, {"If-Match", "*"}}).etags == own);
  CHECK(expected(Method::kPut, {{"If-Unmodified-Since", kThen}}, kNoFile).kind == Kind::kAbsent);
  CHECK(expected(Method::kPut, {{"If-None-Match", "\"a\""}}, kNoFile).kind == Kind::kAbsent);
  CHECK(expected(Method::kPut, {{"If-Unmodified-Since", "never"}}).kind == Kind::kAny);
  CHECK(expected(Method::kPut, {{"If-Modified-Since", kThen}}).kind == Kind::kAny);
}

TEST_CASE("no file is 404 to GET, HEAD and DELETE, whatever they ask") {
  const Fields all = {{"If-Match", "\"own\""}, {"If-None-Match", "*"}, {"If-Modified-Since", kThen}};
  CHECK(verdict(Method::kGet, all, kNoFile) == Verdict::kProceed);
  CHECK(verdict(Method::kHead, all, kNoFile) == Verdict::kProceed);
  CHECK(verdict(Method::kDelete, all, kNoFile) == Verdict::kProceed);
  CHECK(verdict(Method::kPut, {{"If-Match", "\"own\""}}, kNoFile) == Verdict::kFailed);
}

TEST_CASE("a file that appears under a conditional DELETE of nothing is spared") {
  CHECK_FALSE(expected(Method::kDelete, {{"If-Match", "\"a\""}}, kNoFile).holds("\"own\""));
  CHECK(expected(Method::kDelete, {{"If-Match", "\"own\""}}, kNoFile).holds("\"own\""));
  CHECK_FALSE(expected(Method::kDelete, {{"If-Match", "unreadable"}}, kNoFile).holds("\"own\""));
  CHECK_FALSE(expected(Method::kDelete, {{"If-Unmodified-Since", kThen}}, kNoFile).holds("\"own\""));
}

TEST_CASE("methods that name no file know no preconditions") {
  for (const Method method : {Method::kPost, Method::kOptions, Method::kOther}) {
    CHECK(verdict(method, {{"If-Match", "\"a\""}, {"If-None-Match", "*"}}) == Verdict::kProceed);
  }
}

TEST_CASE(
    "what a PUT expects holds of the file it was judged by, and of none that fails the same conditions") {
  const char* const tags[] = {"*",   "\"a\"", "\"b\", \"c\"", "W/\"a\", \"c\"",
                              "bad", nullptr, nullptr,        nullptr};
  const char* const dates[] = {kBefore, kThen, kAfter, "bad", nullptr, nullptr};
  const std::optional<Validators> states[] = {kNoFile, Validators{"\"a\"", 784111776},
                                              Validators{"\"b\"", 784111777}, Validators{"\"c\"", 784111778}};
  std::mt19937 random(3);
  int proceeded = 0;
  for (int i = 0; i < 5000; ++i) {
    Fields fields;
    const auto add = [&](const char* name, const char* value) {
      if (value) fields.push_back({name, value});
    };
    add("If-Match", tags[random() % std::size(tags)]);
    add("If-None-Match", tags[random() % std::size(tags)]);
    add("If-Unmodified-Since", dates[random() % std::size(dates)]);
    for (const auto& before : states) {
      const Precondition judged = judge(Method::kPut, fields, before);
      if (judged.verdict != Verdict::kProceed) continue;
      ++proceeded;
      for (const auto& after : states) {
        const bool holds =
            judged.expected.holds(after ? std::optional<std::string_view>(after->etag) : std::nullopt);
        const bool same = before.has_value() == after.has_value() && (!before || before->etag == after->etag);
        if (same) REQUIRE(holds);
        // A date is no condition on a file that is not there: absence never breaks one (RFC 9110, 13.1.4).
        if (holds) REQUIRE(verdict(Method::kPut, fields, after) == Verdict::kProceed);
      }
    }
  }
  CHECK(proceeded > 1000);
}

}  // namespace forklift
