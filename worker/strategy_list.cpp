#include "worker/strategy_list.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/errno_error.h"
#include "worker/download/strategies.h"
#include "worker/storage/file_store.h"
#include "worker/upload/strategies.h"

namespace forklift {
namespace {

namespace fs = std::filesystem;

template <typename Strategy>
std::string traits_of(const Strategy& strategy) {
  std::string text = strategy.sees_bytes ? "sees the bytes" : "does not see the bytes";
  return text +
         (strategy.blocks_loop ? "; file calls on the loop thread" : "; file calls off the loop thread");
}

const char* durability_of(const SinkStrategy& strategy) {
  return strategy.kept ? "durable as --durability says" : "never durable: gone after the reply";
}

template <typename Strategy>
std::string here(const Strategy& strategy, const FileStore& store) {
  const auto works = strategy.probe(store);
  if (works) return "works here";
  return (says_missing(works.error()) ? "does not work here: " : "could not be tried here: ") +
         sentence_of(works.error());
}

template <typename Strategy>
std::size_t columns_of(std::span<const Strategy> strategies) {
  std::size_t columns = 0;
  for (const Strategy& strategy : strategies) columns = std::max(columns, strategy.name.size() + 2);
  return columns;
}

std::string entry(std::string_view name, std::string_view summary, const std::string& rest) {
  const std::size_t columns = std::max(columns_of(sink_strategies()), columns_of(source_strategies()));
  std::string text = "  " + std::string(name);
  text.append(columns - name.size(), ' ');
  return text + std::string(summary) + "\n" + std::string(columns + 2, ' ') + rest + "\n";
}

/// A directory in the nearest one above `root` that exists; gone with this.
class PassingDirectory {
 public:
  explicit PassingDirectory(const std::string& root) {
    std::error_code error;
    fs::path above = fs::absolute(root, error).parent_path();
    while (above.has_relative_path() && !fs::exists(above, error)) above = above.parent_path();
    path_ = (above / ".forklift-probe-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) error_ = errno_error("mkdtemp");
  }
  PassingDirectory(const PassingDirectory&) = delete;
  PassingDirectory& operator=(const PassingDirectory&) = delete;
  ~PassingDirectory() {
    std::error_code error;
    if (!error_) fs::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::string path_;
  std::optional<Error> error_;
};

std::string list_over(const FileStore& store) {
  std::string text = "Upload strategies (--upload-strategy NAME):\n";
  for (const SinkStrategy& strategy : sink_strategies()) {
    text += entry(
        strategy.name, strategy.summary,
        std::string(durability_of(strategy)) + "; " + traits_of(strategy) + "; " + here(strategy, store));
  }
  text += "\nDownload strategies (--download-strategy NAME):\n";
  for (const SourceStrategy& strategy : source_strategies()) {
    text += entry(strategy.name, strategy.summary, traits_of(strategy) + "; " + here(strategy, store));
  }
  return text;
}

}  // namespace

Result<std::string> strategy_list(const std::string& root) {
  std::error_code error;
  std::optional<PassingDirectory> beside;
  if (!fs::exists(root, error)) beside.emplace(root);
  if (beside && beside->error()) return *beside->error();
  const auto store = FileStore::open(beside ? beside->path() : root);
  if (!store) return store.error();
  return list_over(*store);
}

}  // namespace forklift
