#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/interval_set.h"
#include "base/page_buffer.h"

namespace sluice::io {

/// Output that waits to be written in large pieces. The output's address space is seen as a row
/// of extents; bytes arrive in any order and any size, and an extent is ready when all its bytes
/// are there. Ready extents that are neighbours are taken out as one write. For any number of threads
/// that put; one takes out.
class OutputBuffer {
 public:
  /// A multiple of every direct write's alignment, and small against the buffer, because each place
  /// at which output arrives holds one that is not full yet. An extent more or less in a write of
  /// megabytes does not matter.
  static constexpr std::size_t kExtent = std::size_t{256} << 10;

  /// With fewer, output that arrives at two places at once would be written in bits.
  static constexpr std::size_t kLeastExtents = 4;

  /// A write that is due: pieces that lie one after the other, from `begin` on.
  struct Write {
    std::uint64_t begin = 0;
    std::vector<std::span<const std::byte>> pieces = {};
    std::uint64_t size = 0;  ///< bytes of all pieces
    /// That hold them. They are free again when the last write with a piece of theirs is gone.
    std::vector<std::shared_ptr<std::byte>> extents = {};
  };

  /// \param extents  room, in extents
  /// \param size     of the address space
  /// \param written  what need not be written any more: bytes of an earlier run, which are accepted
  ///                 and left out, and places that belong to no file
  OutputBuffer(std::size_t extents, std::uint64_t size, IntervalSet written);

  /// Takes over as many of the bytes as there is room for, and tells how many. They belong at
  /// `offset`, and are given only once.
  std::size_t put(std::uint64_t offset, std::span<const std::byte> bytes);

  /// The same if there is room for all of them; else takes none.
  bool put_all(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Bytes in extents that are ready.
  std::uint64_t ready_bytes() const;

  /// Takes out ready extents in the order of their places, until `limit` bytes or more were taken,
  /// as writes of `largest_write` bytes at most, which this outlives.
  std::vector<Write> take_ready(std::uint64_t limit, std::size_t largest_write);

  /// Takes out everything that was put, ready or not.
  std::vector<Write> take_all(std::size_t largest_write);

  /// Whether a range was taken out, or had been written before.
  bool took_out(Interval range) const;

 private:
  struct Extent {
    std::byte* memory = nullptr;
    IntervalSet filled;         // in offsets of the address space
    std::uint64_t missing = 0;  // bytes that are neither here nor written
  };
  using Extents = std::map<std::uint64_t, Extent>;  // by number
  struct Copy {
    Extent* to;  // stays until the bytes are there, as they are missing
    Interval range;
  };

  Interval range_of(std::uint64_t number) const;
  Extents::iterator extent_at(std::uint64_t number);
  std::size_t extents_wanted(Interval range) const;
  std::size_t place(Interval range, std::vector<Copy>& copies);
  void copy(const std::vector<Copy>& copies, std::uint64_t offset, const std::byte* bytes);
  Extents::iterator take_out(Extents::iterator first, std::size_t largest_write,
                             std::vector<Write>& writes);

  PageBuffer memory_;
  const std::uint64_t size_;
  mutable std::mutex mutex_;
  std::condition_variable copied_;
  std::size_t copying_ = 0;  // calls of put() that copy, without the mutex
  std::vector<std::byte*> free_;
  Extents open_;
  std::uint64_t ready_bytes_ = 0;
  IntervalSet written_;
};

}  // namespace sluice::io
