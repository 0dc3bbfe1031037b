#include "io/seek_time.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <random>

#include "base/clocks.h"
#include "base/page_buffer.h"
#include "io/direct.h"

namespace sluice::io {
namespace {

// What a disk reads ahead of the head answers within less.
constexpr std::uint64_t kLeastSize = std::uint64_t{256} << 20;

const File* largest_local(std::span<const File* const> files) {
  const File* largest = nullptr;
  std::uint64_t most = 0;
  for (const File* file : files) {
    if (file->remote() || file->size() <= most) continue;
    largest = file;
    most = file->size();
  }
  return most >= kLeastSize ? largest : nullptr;
}

}  // namespace

std::optional<double> measure_seek(std::span<const File* const> files) {
  constexpr std::size_t kReads = 9;
  const File* const file = largest_local(files);
  if (file == nullptr) return std::nullopt;
  const File direct = open_direct(*file, O_RDONLY);
  if (direct.descriptor() < 0) return std::nullopt;
  std::minstd_rand random(
      static_cast<std::uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
  std::uniform_int_distribution<std::uint64_t> pages(0, file->size() / kDirectAlignment - 1);
  const PageBuffer buffer(kDirectAlignment);
  std::array<double, kReads> seconds{};
  for (double& took : seconds) {
    const Stopwatch watch;
    if (::pread(direct.descriptor(), buffer.bytes().data(), kDirectAlignment,
                static_cast<off_t>(pages(random) * kDirectAlignment)) <= 0) {
      return std::nullopt;
    }
    took = watch.seconds();
  }
  std::ranges::nth_element(seconds, seconds.begin() + kReads / 2);
  return seconds[kReads / 2];
}

}  // namespace sluice::io
