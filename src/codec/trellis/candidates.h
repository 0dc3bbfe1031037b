#pragma once

// What vectors are worth to a group of weights, at any scale.

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
  static constexpr std::size_t kCount = 4;

  /// Where the indices of a group's belong.
  std::uint32_t (&of_group(std::size_t lane) noexcept)[kCount] { return index_[lane]; }

  void fit(const TrellisTile<kBook.group>& tile) noexcept {
    for (std::size_t lane = 0; lane < 16; lane += 16 / kCount) {
      TrellisFit sums{0, 0};
      for_each_integer<kBook>(
          TrellisIndices::load(index_[lane]), [&](std::size_t j, const simd::Floats& c) noexcept {
            sums.add(simd::four_times(tile.x[j], lane), simd::four_times(tile.w[j], lane), c);
          });
      sums.xy.store(xy_[lane]);
      sums.yy.store(yy_[lane]);
    }
  }

  /// Chooses the one of a group's with the least error at a scale, less that of zeros.
  void choose(std::size_t lane, float scale, std::uint32_t& best, float& least) const noexcept {
    for (std::size_t i = 0; i < kCount; ++i) {
      const float error = (yy_[lane][i] * scale - xy_[lane][i] * 2) * scale;
      if (i > 0 && error >= least) continue;
      least = error;
      best = index_[lane][i];
    }
  }

 private:
  std::uint32_t index_[16][kCount] = {};
  float xy_[16][kCount];
  float yy_[16][kCount];
};

}  // namespace sluice::inline SLUICE_ISA
