#pragma once

// The cells that are looked into for the targets of 16 groups of weights: the first ones of their regions' lists.
// Of a target with a coordinate beyond nearly all integers a region says less, and some more are looked into.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "codec/trellis/cells.h"
#include "codec/trellis/tile.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

template <TrellisCodebook kBook>
class TrellisNear {
 public:
  using Floats = simd::Floats;
  using Cells = TrellisCells<kBook>;

  TrellisNear() noexcept = default;  ///< of nothing yet
  /// Asks for lists, which are far away.
  /// \param scale  of the lanes, of either sign
  /// \param count  of a list's cells that are wanted, at most Cells::Regions::kMost
  TrellisNear(const Cells& cells, const Floats (&x)[kBook.group], const Floats& scale,
              std::size_t count) noexcept
      : count_(count) {
    const TargetRegions regions(x, scale, Cells::kRanges);
    Floats most = 0;
    for (const Floats& coordinate : x) most = max(most, abs(coordinate));
    far_ = to_bits(most > abs(scale) * kFar);
    for (std::size_t lane = 0; lane < 16; ++lane) {
      near_[lane] = cells.regions().near(regions[lane]);
      cells.regions().prefetch(regions[lane], this->count(lane));
    }
  }

  /// How many cells there are to look into, an even number if that is even.
  std::size_t count(std::size_t lane) const noexcept {
    return (far_ >> lane & 1) == 0 ? count_
                                   : std::min(Cells::Regions::kMost, count_ + count_ / 4 * 2);
  }
  const std::uint16_t* operator[](std::size_t lane) const noexcept { return near_[lane]; }

 private:
  /// 2.3 times the integers' deviation.
  static constexpr float kFar = 85;

  std::size_t count_;
  unsigned far_;
  const std::uint16_t* near_[16];
};

}  // namespace sluice::inline SLUICE_ISA
