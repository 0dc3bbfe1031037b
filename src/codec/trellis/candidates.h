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
  /// At scales, less that of zeros.
  Floats error(const Floats& scale) const noexcept { return (yy * scale - xy * 2.0f) * scale; }
};

/// kCount vectors for each group of a tile, 4 or 8.
template <TrellisCodebook kBook, std::size_t kCount>
class TrellisCandidates {
 public:
  /// Where the indices of a group's belong.
  std::uint32_t* of_group(std::size_t lane) noexcept { return index_ + lane * kCount; }

  void fit(const TrellisTile<kBook.group>& tile) noexcept {
    for (std::size_t i = 0; i < 16 * kCount; i += 16) {
      TrellisFit sums{0, 0};
      for_each_integer<kBook>(TrellisIndices::load(index_ + i),
                              [&](std::size_t j, const simd::Floats& c) noexcept {
                                sums.add(simd::repeat_lanes<kCount>(tile.x[j], i / kCount),
                                         simd::repeat_lanes<kCount>(tile.w[j], i / kCount), c);
                              });
      sums.xy.store(xy_ + i);
      sums.yy.store(yy_ + i);
    }
  }

  /// The sums of one of a group's, in all lanes.
  TrellisFit at(std::size_t lane, std::size_t k) const noexcept {
    return {xy_[lane * kCount + k], yy_[lane * kCount + k]};
  }

  /// Chooses the one of a group's with the least error at a scale.
  void choose(std::size_t lane, float scale, std::uint32_t& best, float& least) const noexcept {
    for (std::size_t i = lane * kCount; i < (lane + 1) * kCount; ++i) {
      const float error = (yy_[i] * scale - xy_[i] * 2) * scale;
      if (i > lane * kCount && error >= least) continue;
      least = error;
      best = index_[i];
    }
  }

 private:
  std::uint32_t index_[16 * kCount];
  float xy_[16 * kCount];
  float yy_[16 * kCount];
};

}  // namespace sluice::inline SLUICE_ISA
