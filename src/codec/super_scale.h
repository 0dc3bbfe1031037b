#pragma once

// The scale of a super-block whose sub-blocks have multiples of it. What was found for a sub-block
// at some scale foretells the error at any other one: it is a parabola in the scale. So no codes
// are searched, and many super-block scales are tried side by side, a lane each: every sub-block
// takes the multiple nearest to what one of its parabolas wants, and the errors are added up.

#include <cstddef>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// The errors of a choice of codes for each sub-block, a lane a sub-block: at scale s about
/// yy * (s - scale)^2 - gain, less that of coding zeros.
struct Parabola {
  simd::Floats scale = 0;
  simd::Floats gain = 0;
  simd::Floats yy = 0;
};

/// Of codes with the sums xy = sum w x y and yy = sum w y^2, for scales that are not negative.
inline Parabola parabola(const simd::Floats& xy, const simd::Floats& yy) noexcept {
  const simd::Floats scale = max(xy / yy, 0);
  return {scale, scale * xy, yy};
}

/// The largest of the scales that the sub-blocks' best parabolas want; 0 if nothing is better than
/// zeros.
template <std::size_t kCount>
float strongest_scale(const Parabola (&found)[kCount], std::size_t count = kCount) noexcept {
  simd::Floats gain = 0;
  simd::Floats scale = 0;
  for (std::size_t n = 0; n < count; ++n) {
    scale = select(gain < found[n].gain, found[n].scale, scale);
    gain = max(gain, found[n].gain);
  }
  return reduce_max(scale);
}

/// Factors that are tried: lowest, lowest + step, ...
struct ScaleTrials {
  int count;  ///< a multiple of 16
  float lowest;
  float step;
};

/// The scale of least error among all that were tried, the first of equals.
class SuperScale {
 public:
  /// \param error  what a scale has to undercut; with 0, zeros
  explicit SuperScale(float error = 0x1p120f) noexcept : least_error_(error) {}

  /// Tries `unit` times the factors.
  /// \param found  derived from Parabola, `count` of them
  /// \param cost   cost(d)(scale, yy) is yy times the square of what the multiples of d miss a
  ///               scale by; d, scale and yy have a lane for each trial
  /// Sub-block b, of kSubBlocks / kStride, is lane kStride * b of the parabolas.
  template <ScaleTrials kTrials, std::size_t kSubBlocks, std::size_t kStride = 1, typename Found,
            typename Cost>
  void try_scales(const Found* found, std::size_t count, float unit, const Cost& cost) noexcept {
    using simd::Floats;
    if (unit == 0) return;
    for (int first = 0; first < kTrials.count; first += static_cast<int>(Floats::kLanes)) {
      const Floats d = factors<kTrials>(first) * unit;
      const auto cost_at_d = cost(d);
      Floats error = 0;
      for (std::size_t b = 0; b < kSubBlocks; b += kStride) {
        Floats least = 0;  // of none
        for (std::size_t n = 0; n < count; ++n) {
          const Floats e = cost_at_d(found[n].scale[b], found[n].yy[b]) - found[n].gain[b];
          least = n == 0 ? e : min(e, least);
        }
        error += least;
      }
      take(error, d);
    }
  }

  /// What a lane's scale d leaves of errors.
  void take(const simd::Floats& error, const simd::Floats& d) noexcept {
    const simd::FloatMask better = error < least_error_;
    least_error_ = select(better, error, least_error_);
    best_ = select(better, d, best_);
  }

  /// Those from number `first` on, a lane each.
  template <ScaleTrials kTrials>
  static simd::Floats factors(int first) noexcept {
    static constexpr float kNumbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return simd::Floats::load(kNumbers) * kTrials.step +
           (kTrials.lowest + kTrials.step * static_cast<float>(first));
  }

  /// 0 if none was tried or good enough.
  float scale() const noexcept { return best_[place_of_min(least_error_)]; }

 private:
  simd::Floats least_error_;
  simd::Floats best_ = 0;
};

}  // namespace sluice::inline SLUICE_ISA
