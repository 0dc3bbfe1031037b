#pragma once

// The choice of a row's scale, of which sub-blocks have multiples by IQ4_NL's levels.

#include <cstddef>

#include "codec/i_quants/levels.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {
namespace trellis_scales {

/// The largest multiple.
inline constexpr float kStrongest = 127;
inline constexpr int kCells = 64;

/// How much the nearest multiple misses, squared, as a share; by a wish from 0 to kStrongest, in cells.
struct Misses {
  float of[kCells];
  constexpr Misses() noexcept : of() {
    for (int i = 0; i < kCells; ++i) {
      const float wish = (static_cast<float>(i) + 0.5f) * kStrongest / kCells;
      float least = 1;
      for (const float level : kIq4Levels) {
        const float miss = (level < 0 ? -level : level) / wish - 1;
        least = miss * miss < least ? miss * miss : least;
      }
      of[i] = least;
    }
  }
};
inline constexpr Misses kMisses;

/// 2^(i / 6)
struct Steps {
  float factor[32];
  constexpr Steps() noexcept : factor() {
    constexpr float kSixth = 1.122462048f;
    float next = 1;
    for (float& f : factor) {
      f = next;
      next *= kSixth;
    }
  }
};
inline constexpr Steps kSteps;

}  // namespace trellis_scales

/// The row's scale, from the scales that its sub-blocks would like to have: of some, evenly spaced on a
/// logarithmic scale, the one for which there are multiples near to these.
class RowScaleTrials {
 public:
  explicit RowScaleTrials(float most) noexcept {
    using namespace trellis_scales;
    for (std::size_t i = 0; i < kLanes; ++i) {
      cost_[i] = 0;
      float factors[16];
      for (std::size_t lane = 0; lane < 16; ++lane) {
        factors[lane] = kSteps.factor[16 * i + lane] * kStrongest / most;
      }
      per_scale_[i] = simd::Floats::load(factors);
      for (float& factor : factors) factor = kStrongest / factor;
      strongest_[i] = simd::Floats::load(factors);
    }
  }

  /// \param wish    of a sub-block, at most `most`
  /// \param weight  of its error
  void add(float wish, float weight) noexcept {
    using namespace trellis_scales;
    const float per_wish = 1 / (wish < 1e-12f ? 1e-12f : wish);
    for (std::size_t i = 0; i < kLanes; ++i) {
      const simd::Floats ratio = simd::Floats(wish) * per_scale_[i];
      const simd::Ints cell = to_ints(min(ratio * (kCells / kStrongest), kCells - 1));
      const simd::Floats beyond = max(simd::Floats(1) - strongest_[i] * per_wish, 0);
      cost_[i] += (look_up(kMisses.of, cell) + beyond * beyond) * weight;
    }
  }

  float best() const noexcept {
    float least = 0;
    float scale = 0;
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::size_t lane = place_of_min(cost_[i]);
      if (i > 0 && cost_[i][lane] >= least) continue;
      least = cost_[i][lane];
      scale = 1 / per_scale_[i][lane];
    }
    return scale;
  }

 private:
  static constexpr std::size_t kLanes = 2;

  simd::Floats per_scale_[kLanes];
  simd::Floats strongest_[kLanes];  ///< what the largest multiple comes to
  simd::Floats cost_[kLanes];
};

}  // namespace sluice::inline SLUICE_ISA
