#pragma once

// The nearest of a few levels, for one value and for lanes of weighted values.

#include <array>
#include <cstddef>

#include "codec/lattice/lanes.h"
#include "codec/lattice/levels.h"

namespace sluice::inline SLUICE_ISA {

/// The border between levels k and k + 1. A value on the border belongs to the upper level.
template <std::size_t kCount>
constexpr float level_border(const Levels<kCount>& levels, std::size_t k) noexcept {
  return (levels[k] + levels[k + 1]) * 0.5f;
}

/// The code of the level nearest to `value`.
template <std::size_t kCount>
constexpr unsigned nearest_code(const Levels<kCount>& levels, float value) noexcept {
  unsigned code = 0;
  for (std::size_t k = 0; k + 1 < kCount; ++k) code += value >= level_border(levels, k) ? 1 : 0;
  return code;
}

/// What decides the best scale for given codes: with y the level nearest to x * inverse_scale,
/// xy = sum w x y and yy = sum w y y. At scale s the error is that of coding zeros plus
/// s * s * yy - 2 * s * xy; the least-squares scale is xy / yy.
struct LevelFit {
  Lanes xy{};
  Lanes yy{};
};

/// `kTable` holds two level tables; `kShifted` picks one at compile time, so that borders and steps
/// are constants.
template <const auto& kTable, std::size_t kShifted, std::size_t kSize>
LevelFit fit_levels(const LaneBlocks<kSize>& blocks, const Lanes& inverse_scale) noexcept {
  constexpr auto& levels = kTable[kShifted];
  LevelFit fit;
  for (std::size_t j = 0; j < kSize; ++j) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float x = blocks.x[j][lane];
      const float scaled = x * inverse_scale[lane];
      // Levels are small integers: adding up the steps below the value is exact.
      float level = levels[0];
      for (std::size_t k = 0; k + 1 < levels.size(); ++k) {
        level += scaled >= level_border(levels, k) ? levels[k + 1] - levels[k] : 0.0f;
      }
      const float wy = blocks.w[j][lane] * level;
      fit.xy[lane] += wy * x;
      fit.yy[lane] += wy * level;
    }
  }
  return fit;
}

}  // namespace sluice::inline SLUICE_ISA
