#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "io/cached_pages.h"
#include "io/mapping.h"
#include "io/source.h"

namespace sluice::io {

/// Takes from the page cache what it has of ranges, for a source that reads the rest past it. What
/// was cached stays so, and no page comes in. For any number of threads.
class CachedRanges {
 public:
  /// \param files  outlive this
  explicit CachedRanges(std::vector<const File*> files);

  /// What there is of a range.
  struct Taken {
    std::span<const std::byte> bytes;  ///< all of it, until end_use(); or nothing
    /// Else: what is to be read, each but for the range's ends of whole pages. The other bytes were
    /// copied to the buffer, whose first byte is that of the page in which the range begins.
    std::vector<ReadRange> missing;
  };

  /// Begins a use of the range, and looks what is cached now.
  Taken take(const ReadRange& range, std::span<std::byte> buffer);

  /// Has the system show the pages of what was taken whole to the process.
  void touch(const ReadRange& range) const;

  /// \throws Error (input_truncated, input_read) if bytes of take() were not those of the file
  void check(const ReadRange& range) const;

  void end_use(const ReadRange& range);

  /// How many bytes were taken so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Key = std::tuple<std::size_t, std::uint64_t, std::size_t>;
  // Of several uses of a range at once, the first decides how all are read.
  struct Use {
    std::size_t count = 0;
    std::optional<Mapping> mapping = {};
  };

  static Key key_of(const ReadRange& range) { return {range.part, range.offset, range.size}; }
  const Mapping* mapping_of(const ReadRange& range) const;
  std::span<const std::byte> map(const ReadRange& range, Use& use);
  std::vector<ReadRange> copy(const ReadRange& range, std::vector<ReadRange> missing,
                              std::span<std::byte> buffer);

  const std::vector<const File*> files_;
  std::vector<CachedPages> pages_;  // of each file
  mutable std::mutex mutex_;
  std::map<Key, Use> uses_;
  std::atomic<std::uint64_t> bytes_ = 0;
};

}  // namespace sluice::io
