#pragma once

// Steps 3 and 4 of the encoder of IQ1_M and IQ1_S (iq1_encoder.h), and what encoders of rows make of
// them: scales, and choices of what was found, by what each is worth at any scale.

#include <cstddef>
#include <iterator>

#include "codec/i_quants/iq1_found.h"
#include "codec/i_quants/iq1_neon_choices.h"
#include "codec/i_quants/iq1_search.h"
#include "codec/super_scale.h"

namespace sluice::inline SLUICE_ISA::iq1 {

/// Takes the other choice where it is better.
inline void take_where(const simd::Mask<float, 32>& better, const Choice& other,
                       Choice& choice) noexcept {
  choice.twice_xy = select(better, other.twice_xy, choice.twice_xy);
  choice.yy = select(better, other.yy, choice.yy);
  choice.code = select(narrow(better), other.code, choice.code);
}

/// What the first `kFirst` choices foretell; `parabolas` has room for kFirst for each shift.
template <typename Type, std::size_t kFirst, typename Found>
void foretell(const Found& found, Parabola* parabolas) noexcept {
  for (const auto& of_shift : found.choice) {
    for (std::size_t n = 0; n < kFirst; ++n) {
      *parabolas++ = parabola(sub_block_sum<Type>(of_shift[n].twice_xy) * 0.5f,
                              sub_block_sum<Type>(of_shift[n].yy));
    }
  }
}

/// yy times the square of what the nearest of Type's multiples of d misses a scale by, as SuperScale
/// wants it.
template <typename Type>
auto cost_of_multiples(const Floats& d) noexcept {
  constexpr Multiples kMultiples = Type::kMultiples;
  constexpr float kStep = kMultiples.step;
  constexpr float kOffset = 0.5f - kMultiples.first / kStep;
  const Floats step = d * kStep;
  return [ inverse = Floats(1) / step, square = step * step ](const Floats& scale, const Floats& yy)
      __attribute__((always_inline)) {
    Floats place = scale * inverse;
    if constexpr (kOffset != 0) place += kOffset;
    const Floats miss = place - truncate(lesser(place, Floats(kMultiples.count - 1))) - 0.5f;
    return yy * square * (miss * miss);
  };
}

#if !defined(SLUICE_NEON)

/// The super-block scale that looks best by the first `kFirst` of what was found; 0 if nothing is
/// better than zero.
template <typename Type, std::size_t kFirst, typename Found>
float choose_d(const Found& found) noexcept {
  Parabola parabolas[Found::kShifts * kFirst];
  foretell<Type, kFirst>(found, parabolas);
  SuperScale best;
  best.try_scales<kScaleTrials, 16, Type::kSubBlock / 16>(
      parabolas, std::size(parabolas), strongest_scale(parabolas) / Type::kMultiples.last(),
      cost_of_multiples<Type>);
  return best.scale();
}

/// The error of a choice at scale s, over s, but for what all choices have in common.
inline GroupFloats error_slope(const Choice& choice, const GroupFloats& s) noexcept {
  return s * choice.yy - choice.twice_xy;
}

/// For each sub-block the one of the multiples of d that promises the least error by the first
/// `kFirst` choices for each shift.
template <typename Type, std::size_t kFirst, typename Found>
Floats choose_multiples(const Found& found, float d) noexcept {
  Floats best = 1;
  Floats lowest = 0x1p120f;
  for (int scale = 0; scale < Type::kMultiples.count; ++scale) {
    const float multiple = Type::kMultiples[scale];
    const float s = d * multiple;
    for (const auto& choice : found.choice) {
      GroupFloats slope = error_slope(choice[0], s);
      for (std::size_t n = 1; n < kFirst; ++n) slope = min(slope, error_slope(choice[n], s));
      const Floats error = sub_block_sum<Type>(pair_sum(slope)) * s;
      best = select(error < lowest, multiple, best);
      lowest = min(lowest, error);
    }
  }
  return best;
}

/// The best of the choices of each group at its scale; gives their error, over the scale.
template <std::size_t kCount>
GroupFloats best_of(const Choice* choice, const GroupFloats& s, Choice& best) noexcept {
  best = choice[0];
  GroupFloats lowest = error_slope(best, s);
  for (std::size_t n = 1; n < kCount; ++n) {
    const GroupFloats slope = error_slope(choice[n], s);
    take_where(slope < lowest, choice[n], best);
    lowest = min(lowest, slope);
  }
  return lowest;
}

#endif

/// The best of the first `kCount` choices for scale d.
template <typename Type, std::size_t kCount, typename Found>
Solution solve(const Found& found, float d) noexcept {
  Solution solution;
  solution.multiple = choose_multiples<Type, kCount>(found, d);
  const Floats scale = solution.multiple * d;
  const GroupFloats s = join(scale, scale);
  Choice best;
  const GroupFloats error = best_of<kCount>(found.choice[0], s, best);
  if constexpr (Found::kShifts == 2) {
    Choice other;
    const GroupFloats other_error = best_of<kCount>(found.choice[1], s, other);
    const simd::FloatMask better = sub_block_sum<Type>(other_error) < sub_block_sum<Type>(error);
    take_where(widen(join(better, better)), other, best);
  }
  solution.code = best.code;
  solution.xy = 0.5f * reduce_sum(pair_sum(best.twice_xy) * solution.multiple);
  solution.yy = reduce_sum(pair_sum(best.yy) * (solution.multiple * solution.multiple));
  return solution;
}

}  // namespace sluice::inline SLUICE_ISA::iq1
