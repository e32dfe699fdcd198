#include "worker/sample.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <random>

#include "common/errno_error.h"

namespace forklift {

namespace {

constexpr std::size_t kNoiseBytes = 256 * 1024;

}  // namespace

Result<Sample> Sample::of(const Config& config) {
  Sample sample;
  sample.path_ = config.sample;
  if (!config.sample.empty()) return sample;
  sample.noise_.reset(::memfd_create("sample", MFD_CLOEXEC));
  if (!sample.noise_) return errno_error("memfd_create");
  // The same noise in every worker: whoever asks twice gets the same file.
  std::minstd_rand random;
  static_assert(kNoiseBytes % (1024 * sizeof(std::uint32_t)) == 0);
  std::array<std::uint32_t, 1024> block{};
  for (std::size_t written = 0; written < kNoiseBytes; written += sizeof block) {
    for (std::uint32_t& word : block)
      word = static_cast<std::uint32_t>(random()) << 1 ^ static_cast<std::uint32_t>(random());
    if (::write(sample.noise_.get(), block.data(), sizeof block) != static_cast<ssize_t>(sizeof block)) {
      return errno_error("write of the sample");
    }
  }
  sample.path_ = "/proc/self/fd/" + std::to_string(sample.noise_.get());
  return sample;
}

}  // namespace forklift
