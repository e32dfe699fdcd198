#include "common/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>

#include "common/log.h"

namespace forklift {
namespace {

struct Identity {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  std::string user_name;  // empty: a number without an entry
};

std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || stopped != end) return std::nullopt;
  return number;
}

/// Empty, or why not.
std::string find_user(const std::string& user, Identity& identity) {
  const auto number = number_in(user);
  const passwd* const entry = number ? ::getpwuid(*number) : ::getpwnam(user.c_str());
  if (entry == nullptr && !number) return log::text("there is no user \"", user, "\"");
  identity.user = entry != nullptr ? entry->pw_uid : *number;
  if (entry != nullptr) identity.user_name = entry->pw_name;
  if (entry != nullptr) identity.group = entry->pw_gid;
  return {};
}

std::string find_group(const std::string& group, Identity& identity) {
  const auto number = number_in(group);
  const ::group* const entry = number ? nullptr : ::getgrnam(group.c_str());
  if (entry == nullptr && !number) return log::text("there is no group \"", group, "\"");
  identity.group = number ? *number : entry->gr_gid;
  return {};
}

bool is_already(const Identity& identity) {
  return (!identity.user || *identity.user == ::getuid()) &&
         (!identity.group || *identity.group == ::getgid());
}

/// Who that is; it exists, and this process may become it.
Result<Identity, std::string> find(const std::string& user, const std::string& group) {
  Identity identity;
  std::string reason = user.empty() ? std::string() : find_user(user, identity);
  if (reason.empty() && !group.empty()) reason = find_group(group, identity);
  if (!reason.empty()) return reason;
  if (identity.user && !identity.group) return log::text("user ", user, " has no group of its own; name one");
  if (::geteuid() != 0 && !is_already(identity)) {
    return log::text("only root may change to user \"", user, "\" and group \"", group, "\"");
  }
  return identity;
}

bool change(const Identity& identity) {
  const bool grouped = identity.user_name.empty()
                           ? ::setgroups(0, nullptr) == 0
                           : ::initgroups(identity.user_name.c_str(), *identity.group) == 0;
  if (!grouped) return false;
  if (identity.group && ::setresgid(*identity.group, *identity.group, *identity.group) != 0) return false;
  return !identity.user || ::setresuid(*identity.user, *identity.user, *identity.user) == 0;
}

bool holds(const Identity& identity) {
  uid_t users[3];
  gid_t groups[3];
  if (::getresuid(&users[0], &users[1], &users[2]) != 0) return false;
  if (::getresgid(&groups[0], &groups[1], &groups[2]) != 0) return false;
  for (const uid_t user : users) {
    if (identity.user && user != *identity.user) return false;
  }
  for (const gid_t group : groups) {
    if (identity.group && group != *identity.group) return false;
  }
  const bool can_return = identity.user && *identity.user != 0 && (::setuid(0) == 0 || ::setgid(0) == 0);
  return !can_return;
}

}  // namespace

Result<Owner, std::string> owner_of(const std::string& user, const std::string& group) {
  const auto identity = find(user, group);
  if (!identity) return identity.error();
  Owner owner;
  if (identity->user) owner.user = *identity->user;
  if (identity->group) owner.group = *identity->group;
  return owner;
}

Result<void, std::string> drop_privileges(const std::string& user, const std::string& group) {
  if (user.empty() && group.empty()) return {};
  const auto identity = find(user, group);
  if (!identity) return identity.error();
  if (::geteuid() != 0) return {};
  if (!change(*identity)) {
    return log::text("cannot change to user \"", user, "\" and group \"", group,
                     "\": ", std::generic_category().message(errno));
  }
  if (!holds(*identity)) return log::text("the change to user \"", user, "\" did not hold");
  return {};
}

}  // namespace forklift
