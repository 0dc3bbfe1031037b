#pragma once

// What making a table of regions takes.

#include <cstddef>
#include <cstdint>

#include "codec/trellis/regions.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// Regions are gone through coordinate by coordinate, the last one first.
template <std::size_t kCells, std::size_t kNear, std::size_t kLength, std::size_t kRanges>
struct TrellisRegions<kCells, kNear, kLength, kRanges>::Room {
  /// Cells that are left, and of their vectors the product of the shares so far.
  struct Level {
    std::size_t count;  ///< a multiple of 16
    std::uint16_t cells[kCells];
    alignas(64) float share[kCells][16];
  };

  std::size_t first_cell;    ///< the number of the first one
  Level levels[kGroup + 1];  ///< by the number of coordinates to come
  alignas(64) float shares[kCells][kGroup][kRanges][16];
  std::int32_t buckets[kCells];

  /// Calls take(place, i) for the `most` cells of a level that can expect the most hits, or for all: in the
  /// order of i, with their places in the order of hits, which are told to a sixteenth of an octave.
  template <typename Take>
  void take_best(const Level& level, std::size_t most, const Take& take) noexcept {
    using simd::Floats;
    using simd::Ints;
    constexpr std::int32_t kBuckets = 256;
    Ints highest = 0;
    for (std::size_t first = 0; first < level.count; first += 16) {
      Floats vector[16];
      simd::transpose<16>(level.share[first], vector);
      Floats hits = vector[0];
      for (std::size_t i = 1; i < 16; ++i) hits += vector[i];
      // Of positive floats, bits are a logarithm.
      const Ints bits = simd::shift_right<19>(simd::bits_of<Ints>(hits));
      bits.store(buckets + first);
      highest = max(highest, bits);
    }
    const Ints top(simd::most_of(highest));
    for (std::size_t first = 0; first < level.count; first += 16) {
      min(top - Ints::load(buckets + first), Ints(kBuckets - 1)).store(buckets + first);
    }
    std::uint32_t place[kBuckets + 1] = {};
    for (std::size_t i = 0; i < level.count; ++i) ++place[buckets[i] + 1];
    // Of those beyond the bucket in which the last one is, there is nothing to know.
    std::int32_t last = 0;
    for (; last < kBuckets && place[last] < most; ++last) place[last + 1] += place[last];
    for (std::size_t i = 0; i < level.count; ++i) {
      if (buckets[i] >= last) continue;
      const std::uint32_t at = place[buckets[i]]++;
      if (at < most) take(at, i);
    }
  }
};

}  // namespace sluice::inline SLUICE_ISA
