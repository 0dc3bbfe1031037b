#pragma once

// Which cells of a codebook are likely to hold the vector that is nearest to a target: a table, so that nothing
// is scored to choose them.
//
// Each coordinate is cut into ranges, a region of targets being a range of each: of vectors of 8 there are 4^8. A
// target is its nearest vector plus an error, so a cell of vectors v can expect sum over v of prod over j of
// P(x_j in its range | v_j) of the hits of a region. That order needs half of the cells that the distance of their
// means does (bench/notes/trellis.md).

#include <array>
#include <cstddef>
#include <cstdint>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// How coordinates are cut, in units of the integers.
template <std::size_t kRanges>
struct RegionRanges {
  std::array<float, kRanges - 1> borders;  ///< growing
  float error;  ///< about 1.3 times the deviation of a target from its nearest vector
};
/// Of vectors of 8.
using TrellisRanges = RegionRanges<4>;

/// \tparam kCells   a multiple of 16
/// \tparam kNear    cells of a list
/// \tparam kLength  coordinates of a vector
/// \tparam kRanges  of a coordinate
template <std::size_t kCells, std::size_t kNear, std::size_t kLength = 8, std::size_t kRanges = 4>
class TrellisRegions {
 public:
  static constexpr std::size_t kGroup = kLength;
  static constexpr std::size_t kRegions = [] {
    std::size_t regions = 1;
    for (std::size_t j = 0; j < kGroup; ++j) regions *= kRanges;
    return regions;
  }();
  static constexpr std::size_t kMost = kNear;
  /// Sixteen vectors.
  using Vectors = std::int8_t[16][kGroup];

  /// What it takes to make a table.
  struct Room;

  /// Takes 0.1 s for 500 cells, 0.2 s for 4000.
  /// \param first  the number of the first cell
  void fill(Room& room, const Vectors (&vectors)[kCells], const RegionRanges<kRanges>& ranges,
            std::size_t first = 0) noexcept;

  /// Numbers of the cells that are likely to be hit, kMost, the likeliest first.
  const std::uint16_t* near(std::size_t region) const noexcept { return near_[region]; }
  /// Lists are in the third cache, if at all: they are asked for before what else there is to do.
  void prefetch(std::size_t region, std::size_t count) const noexcept {
    constexpr std::size_t kLine = 64 / sizeof near_[0][0];
    __builtin_prefetch(near_[region]);
    if (kNear % kLine != 0 || count > kLine) __builtin_prefetch(near_[region] + (count - 1));
  }

 private:
  void descend(Room& room, std::size_t coordinates, std::size_t region) noexcept;

  alignas(64) std::uint16_t near_[kRegions][kNear];
};

/// The regions of 16 targets, or of their opposites.
class TargetRegions {
 public:
  using Floats = simd::Floats;

  TargetRegions() noexcept = default;  ///< of nothing yet
  /// \param scale  of the lanes; where it is negative, of the opposites
  template <std::size_t kGroup, std::size_t kRanges>
  TargetRegions(const Floats (&x)[kGroup], const Floats& scale,
                const RegionRanges<kRanges>& ranges) noexcept {
    const Floats magnitude = abs(scale);
    const Floats sign = select(scale < 0, Floats(-1), Floats(1));
    Floats borders[kRanges - 1];
    for (std::size_t i = 0; i < kRanges - 1; ++i) borders[i] = magnitude * ranges.borders[i];
    Floats region = 0;
    for (std::size_t j = kGroup; j-- > 0;) {
      const Floats y = x[j] * sign;
      Floats range = 0;
      for (const Floats& border : borders) range += select(y > border, Floats(1), Floats(0));
      region = region * float{kRanges} + range;
    }
    to_ints(region).store(regions_);
  }

  std::size_t operator[](std::size_t lane) const noexcept {
    return static_cast<std::size_t>(regions_[lane]);
  }

 private:
  std::int32_t regions_[16];
};

}  // namespace sluice::inline SLUICE_ISA
