#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "io/cached_pages.h"
#include "io/source.h"

namespace sluice::io {

/// Takes from the page cache what it has of ranges, for a source that reads the rest past it. What
/// was cached stays so, and no page comes in. For any number of threads.
///
/// It is copied, not mapped: mappings come and go under one lock of the process, and each that goes
/// interrupts all cores. A copy into a buffer that is warm costs less than that on a single core.
class CachedRanges {
 public:
  /// \param files  outlive this
  explicit CachedRanges(std::vector<const File*> files);

  /// Looks what of a range is cached now.
  /// \param bytes  where the range's bytes belong
  /// \returns what is to be read, each but for the range's ends of whole pages; fill() brings the rest
  std::vector<ReadRange> missing(const ReadRange& range, std::span<std::byte> bytes);

  /// Copies what was cached to its place, for which missing() was called before.
  /// \throws Error (input_truncated, input_read)
  void fill(std::span<const std::byte> bytes);

  /// How many bytes were taken so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Copy {
    const File* file;
    std::uint64_t offset;
    std::span<std::byte> place;
  };

  const std::vector<const File*> files_;
  std::vector<CachedPages> pages_;  // of each file
  std::mutex mutex_;
  std::map<const std::byte*, std::vector<Copy>> copies_;  // by where a range's bytes begin
  std::atomic<std::uint64_t> bytes_ = 0;
};

}  // namespace sluice::io
