#include "worker/download/page_cache.h"

#include <unistd.h>

#include <cerrno>

#include "worker/storage/file_ops.h"

namespace forklift {

namespace {

constexpr seconds kTrustedFor{1};

std::int64_t pages_between(std::uint64_t begin, std::uint64_t end) {
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return static_cast<std::int64_t>((end - 1) / page_bytes - begin / page_bytes + 1);
}

bool readable_now(int fd, std::uint64_t offset) {
  std::byte byte;
  return file_ops::read_now(fd, {&byte, 1}, offset) >= 0 || errno != EAGAIN;
}

bool in_memory(int fd, std::uint64_t begin, std::uint64_t end) {
  // First, as it starts no reading of its own; to submit one may have to wait for a busy disk too.
  const std::int64_t pages = file_ops::cached_pages(fd, begin, end - begin);
  if (pages < 0 && !readable_now(fd, begin)) return false;
  if (pages >= 0 && pages < pages_between(begin, end)) return false;
  // Pages that somebody else is just reading are counted, but not there yet.
  return readable_now(fd, end - 1);
}

}  // namespace

PageCache::Part& PageCache::slot_of(const OpenedFile& file, std::uint64_t begin) {
  const std::uint64_t place = file.inode + begin / kReadAheadBytes * 31 + file.device * 131;
  return known_[place * 0x9e3779b97f4a7c15u >> 56];
}

bool PageCache::holds(const OpenedFile& file, std::uint64_t begin, std::uint64_t end) {
  const Part& part = slot_of(file, begin);
  const bool known = part.end >= end && part.begin <= begin && part.inode == file.inode &&
                     part.device == file.device && loop_.now() - part.since < kTrustedFor;
  if (known) return true;
  if (!in_memory(file.fd.get(), begin, end)) return false;
  brought(file, begin, end);
  return true;
}

void PageCache::brought(const OpenedFile& file, std::uint64_t begin, std::uint64_t end) {
  slot_of(file, begin) = {file.device, file.inode, begin, end, loop_.now()};
}

}  // namespace forklift
