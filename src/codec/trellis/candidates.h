#pragma once

// What vectors are worth to a group of weights, at any scale.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// Sums of w x c and w c^2.
struct TrellisFit {
  using Floats = simd::Floats;

  Floats xy;
  Floats yy;

  void add(const Floats& x, const Floats& w, const Floats& c) noexcept {
    const Floats wc = w * c;
    xy += wc * x;
    yy += wc * c;
  }
};

/// Four vectors for each group of a tile.
template <TrellisCodebook kBook>
class TrellisCandidates {
 public:
  using Floats = simd::Floats;
  static constexpr std::size_t kCount = 4;

  void set(std::size_t lane, const std::array<std::uint32_t, kCount>& indices) noexcept {
    for (std::size_t i = 0; i < kCount; ++i) index_[i][lane] = indices[i];
  }

  /// Of each group the one with the least error at a scale, less that of zeros.
  struct Best {
    Floats error;
    TrellisIndices index;
  };
  Best best(const TrellisTile<kBook.group>& tile, const Floats& scale) const noexcept {
    Best best = cost(tile, scale, 0);
    for (std::size_t i = 1; i < kCount; ++i) {
      const Best other = cost(tile, scale, i);
      const simd::FloatMask better = other.error < best.error;
      best.error = select(better, other.error, best.error);
      best.index = select_indices(better, other.index, best.index);
    }
    return best;
  }

 private:
  Best cost(const TrellisTile<kBook.group>& tile, const Floats& scale,
            std::size_t i) const noexcept {
    const TrellisIndices index = TrellisIndices::load(index_[i]);
    TrellisFit sums{0, 0};
    for_each_integer<kBook>(
        index, [&](std::size_t j, const Floats& c) noexcept { sums.add(tile.x[j], tile.w[j], c); });
    return {(sums.yy * scale - sums.xy * 2.0f) * scale, index};
  }

  std::uint32_t index_[kCount][16] = {};
};

}  // namespace sluice::inline SLUICE_ISA
