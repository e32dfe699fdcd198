#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/config.h"
#include "common/result.h"
#include "common/unique_fd.h"

namespace forklift {

/// Who follows a name down from the root.
enum class Resolver : std::uint8_t {
  kKernel,  // openat2(2), and the walk where the kernel has none
  kWalk,    // one openat(2) a component
};

/// Opens names below one directory and nothing else: never through a symbolic link, never out of it, by
/// either resolver with the same answers (a symbolic link is ELOOP, hence kForbidden). Borrows the
/// directory's descriptor. Names must have passed check_name. Immutable: any thread may use it.
class Beneath {
 public:
  /// Asks once whether openat2 is to be had, and walks from then on where it is not.
  Beneath(int root, Resolver resolver);

  /// An open file or directory, O_CLOEXEC added; never creates. `operation` names it in
  /// errors.
  Result<UniqueFd> open(std::string_view name, int flags, const char* operation) const;

  /// One part of a name, in a directory that was opened by this.
  static Result<UniqueFd> open_in(int directory, std::string_view part, int flags, const char* operation);

  /// As open, without waiting for a disk: nothing where one would have to be asked. Opens as above where the
  /// system cannot tell (Linux before 5.12, the walk).
  Result<std::optional<UniqueFd>> open_cached(std::string_view name, int flags, const char* operation) const;

  /// The directory of that name, open for reading, made with all its parents where missing (0777 less umask).
  /// With kFull, the parent of every directory made is synced. kConflict: a file stands in the way.
  Result<UniqueFd> make_directories(std::string_view name, Durability durability) const;

 private:
  Result<UniqueFd> walk(std::string_view name, int flags, const char* operation) const;

  int root_;
  Resolver resolver_;
};

}  // namespace forklift
