#include "forecast/read_probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "base/clocks.h"
#include "base/page_buffer.h"
#include "base/thread.h"
#include "io/source.h"

namespace sluice {
namespace {

// As many reads as the pipeline has under way, but smaller, so that what is under way at the end
// takes 0.2 s on a disk of 10 MB/s.
constexpr int kReads = 4;
constexpr std::size_t kPiece = std::size_t{512} << 10;

// A run of 16 MiB takes ten times as long as the seek to it on a disk of 150 MB/s; conversions read
// in one go.
constexpr std::uint64_t kRunPieces = 32;

// The multiples of the golden ratio, modulo 1, are spread evenly however many there are.
constexpr double kGolden = 0.6180339887498949;

/// Hands out pieces of all files as if they were one.
class Places {
 public:
  explicit Places(std::span<const io::File> files) {
    for (const io::File& file : files) {
      ends_.push_back((ends_.empty() ? 0 : ends_.back()) + file.size() / kPiece);
    }
    runs_ = (ends_.back() + kRunPieces - 1) / kRunPieces;
    first_ = static_cast<double>(std::chrono::steady_clock::now().time_since_epoch().count() %
                                 1'000'003) /
             1'000'003;
  }

  struct Place {
    std::size_t file;
    std::uint64_t offset;
  };

  /// \param n  0, 1, 2, ...
  /// \returns whether there is so much
  bool at(std::uint64_t n, Place& place) const {
    if (n >= ends_.back()) return false;
    const std::uint64_t whole_runs = n / kRunPieces;
    const double fraction = first_ + static_cast<double>(whole_runs) * kGolden;
    const auto run =
        static_cast<std::uint64_t>((fraction - std::floor(fraction)) * static_cast<double>(runs_));
    const std::uint64_t piece = std::min(run * kRunPieces + n % kRunPieces, ends_.back() - 1);
    place.file = static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), piece) -
                                          ends_.begin());
    place.offset = (piece - (place.file == 0 ? 0 : ends_[place.file - 1])) * kPiece;
    return true;
  }

 private:
  std::vector<std::uint64_t> ends_;  // of each file, in pieces
  std::uint64_t runs_ = 0;
  double first_ = 0;
};

double measure(std::span<const io::File> files, double seconds) {
  const Places places(files);
  const std::unique_ptr<io::Source> source = io::open_uncached_source(io::pointers_to(files));
  std::atomic<std::uint64_t> next = 0;
  std::atomic<std::uint64_t> bytes = 0;
  const Stopwatch watch;
  std::vector<Thread> threads;
  for (int i = 0; i < kReads; ++i) {
    threads.emplace_back([&] {
      const PageBuffer buffer(kPiece + io::Source::kBufferSlack);
      Places::Place place{};
      // A disk that cannot be read here says so in the run, by name; there is no rate.
      bool good = true;
      while (good && watch.seconds() < seconds && places.at(next++, place)) {
        source->read({place.file, place.offset, kPiece}, buffer.bytes(),
                     [&](std::span<const std::byte> got, const std::exception_ptr& error) {
                       bytes += got.size();
                       good = error == nullptr;
                     });
      }
    });
  }
  for (Thread& thread : threads) thread.join();
  return static_cast<double>(bytes) / watch.seconds();
}

}  // namespace

double measure_reads(std::span<const io::File> files, double seconds) noexcept {
  try {
    return files.empty() ? 0 : measure(files, seconds);
  } catch (const std::exception&) {
    return 0;
  }
}

}  // namespace sluice
