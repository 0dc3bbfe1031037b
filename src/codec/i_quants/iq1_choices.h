#pragma once

// Steps 3 and 4 of the encoder of IQ1_M and IQ1_S (iq1_encoder.h): scales, and choices of what was
// found, by what each is worth at any scale.

#include <cstddef>

#include "codec/i_quants/iq1_search.h"
#include "codec/super_scale.h"

namespace sluice::inline SLUICE_ISA::iq1 {

inline constexpr int kScales = 8;  // of a sub-block

/// A whole super-block decided, but for d.
struct Solution {
  Floats multiple;  ///< 2 * scale + 1 of each sub-block
  Shorts code;      ///< see Choice
  float xy = 0;     ///< sum of w * x * y, y being the decoded value for d = 1
  float yy = 0;
};

/// What was found, in `kFound` searches. Where a sub-block's groups share a shift, the best for
/// either shift, of which each sub-block takes one.
template <typename Type, std::size_t kFound>
struct Found {
  static constexpr std::size_t kCount = kFound;
  static constexpr std::size_t kShifts = Type::kSharedShift ? 2 : 1;
  Choice choice[kShifts][kFound];
};

template <std::size_t kSets, typename Found>
void search_into(const Groups& groups, const Floats& scale, Found& found, std::size_t n) noexcept {
  if constexpr (Found::kShifts == 2) {
    search_shifts<kSets>(groups, join(scale, scale), found.choice[0][n], found.choice[1][n]);
  } else {
    search<kSets>(groups, join(scale, scale), found.choice[0][n]);
  }
}

/// The sum over each sub-block, in each of its lanes, of sums over pairs of groups.
template <typename Type, std::size_t N>
simd::Lanes<float, N> sub_block_sum(const simd::Lanes<float, N>& pairs) noexcept {
  static_assert(Type::kSubBlock == 16 || Type::kSubBlock == 32);
  if constexpr (Type::kSubBlock == 16) {
    return pairs;
  } else {
    simd::Lanes<float, N> others;
    for (std::size_t i = 0; i < pairs.kParts; ++i) {
      others.part[i] = simd::Machine::swap_neighbours(pairs.part[i]);
    }
    return pairs + others;
  }
}
template <typename Type>
Floats sub_block_sum(const GroupFloats& values) noexcept {
  return sub_block_sum<Type>(pair_sum(values));
}

/// The super-block scale that looks best by the first `kFirst` of what was found; 0 if nothing is
/// better than zero.
template <typename Type, std::size_t kFirst, typename Found>
float choose_d(const Found& found) noexcept {
  Parabola parabolas[Found::kShifts * kFirst];
  Parabola* next = parabolas;
  for (const auto& of_shift : found.choice) {
    for (std::size_t n = 0; n < kFirst; ++n) {
      *next++ = parabola(sub_block_sum<Type>(of_shift[n].twice_xy) * 0.5f,
                         sub_block_sum<Type>(of_shift[n].yy));
    }
  }
  // Outside of these factors the error is hardly ever smaller.
  constexpr ScaleTrials kTrials = {.count = 16, .lowest = 0.6f, .step = 0.045f};
  // The odd multiple of d next to a parabola's lowest point.
  const auto cost = [](const Floats& d) noexcept {
    const Floats step = d + d;
    return [ inverse = Floats(1) / step, square = step *
             step ](const Floats& scale, const Floats& yy) __attribute__((always_inline)) {
      const Floats place = scale * inverse;
      const Floats miss = place - truncate(lesser(place, Floats(kScales - 1))) - 0.5f;
      return yy * square * (miss * miss);
    };
  };
  SuperScale best;
  best.try_scales<kTrials, 16, Type::kSubBlock / 16>(
      parabolas, std::size(parabolas), strongest_scale(parabolas) / (2 * kScales - 1), cost);
  return best.scale();
}

/// The error of a choice at scale s, over s, but for what all choices have in common.
inline GroupFloats error_slope(const Choice& choice, const GroupFloats& s) noexcept {
  return s * choice.yy - choice.twice_xy;
}

/// For each sub-block the one of the 8 multiples of d that promises the least error by the first
/// `kFirst` choices for each shift. With NEON part by part: all choices of one stay in registers.
#if defined(SLUICE_NEON)
template <typename Type, std::size_t kFirst, typename Found>
Floats choose_multiples(const Found& found, float d) noexcept {
  Floats multiples;
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Floats::kParts; ++part) {
    PartFloats best = 1;
    PartFloats lowest = 0x1p120f;
    for (int scale = 0; scale < kScales; ++scale) {
      const float multiple = static_cast<float>(2 * scale + 1);
      const PartFloats s = d * multiple;
      for (const auto& choice : found.choice) {
        PartFloats slope[2];  // of either half of the sub-blocks' groups
        for (std::size_t group = 0; group < 2; ++group) {
          const std::size_t at = part + group * Floats::kParts;
          for (std::size_t n = 0; n < kFirst; ++n) {
            const PartFloats next = s * part_of(choice[n].yy, at) - part_of(choice[n].twice_xy, at);
            slope[group] = n == 0 ? next : lesser(slope[group], next);
          }
        }
        const PartFloats error = sub_block_sum<Type>(slope[0] + slope[1]) * s;
        best = select(error < lowest, multiple, best);
        lowest = lesser(lowest, error);
      }
    }
    set_part(multiples, part, best);
  }
  return multiples;
}
#else
template <typename Type, std::size_t kFirst, typename Found>
Floats choose_multiples(const Found& found, float d) noexcept {
  Floats best = 1;
  Floats lowest = 0x1p120f;
  for (int scale = 0; scale < kScales; ++scale) {
    const float multiple = static_cast<float>(2 * scale + 1);
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
#endif

/// Takes the other choice where it is better.
inline void take_where(const simd::Mask<float, 32>& better, const Choice& other,
                       Choice& choice) noexcept {
  choice.twice_xy = select(better, other.twice_xy, choice.twice_xy);
  choice.yy = select(better, other.yy, choice.yy);
  choice.code = select(narrow(better), other.code, choice.code);
}

/// The best of the choices of each group at its scale; gives their error, over the scale. With NEON too
/// part by part.
#if defined(SLUICE_NEON)
template <std::size_t kCount>
GroupFloats best_of(const Choice* choice, const GroupFloats& s, Choice& best) noexcept {
  GroupFloats lowest;
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    PartFloats slope[2];
    PartFloats twice_xy[2];
    PartFloats yy[2];
    Shorts::Register code = choice[0].code.part[part];
    for (std::size_t n = 0; n < kCount; ++n) {
      uint16x8_t better[2];
      for (std::size_t half = 0; half < 2; ++half) {
        const std::size_t at = 2 * part + half;
        const PartFloats next_xy = part_of(choice[n].twice_xy, at);
        const PartFloats next_yy = part_of(choice[n].yy, at);
        const PartFloats next = part_of(s, at) * next_yy - next_xy;
        if (n == 0) {
          slope[half] = next;
          twice_xy[half] = next_xy;
          yy[half] = next_yy;
          continue;
        }
        const auto lower = next < slope[half];
        better[half] = uint16x8_t(lower.part[0]);
        twice_xy[half] = select(lower, next_xy, twice_xy[half]);
        yy[half] = select(lower, next_yy, yy[half]);
        slope[half] = lesser(slope[half], next);
      }
      if (n != 0)
        code = vbslq_s16(vuzp1q_u16(better[0], better[1]), choice[n].code.part[part], code);
    }
    best.code.part[part] = code;
    for (std::size_t half = 0; half < 2; ++half) {
      set_part(lowest, 2 * part + half, slope[half]);
      set_part(best.twice_xy, 2 * part + half, twice_xy[half]);
      set_part(best.yy, 2 * part + half, yy[half]);
    }
  }
  return lowest;
}
#else
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

/// The best of all that was found for super-block scale d.
template <typename Type, typename Found>
Solution solve(const Found& found, float d) noexcept {
  Solution solution;
  solution.multiple = choose_multiples<Type, Found::kCount>(found, d);
  const Floats scale = solution.multiple * d;
  const GroupFloats s = join(scale, scale);
  Choice best;
  const GroupFloats error = best_of<Found::kCount>(found.choice[0], s, best);
  if constexpr (Found::kShifts == 2) {
    Choice other;
    const GroupFloats other_error = best_of<Found::kCount>(found.choice[1], s, other);
    const simd::FloatMask better = sub_block_sum<Type>(other_error) < sub_block_sum<Type>(error);
    take_where(widen(join(better, better)), other, best);
  }
  solution.code = best.code;
  solution.xy = 0.5f * reduce_sum(pair_sum(best.twice_xy) * solution.multiple);
  solution.yy = reduce_sum(pair_sum(best.yy) * (solution.multiple * solution.multiple));
  return solution;
}

}  // namespace sluice::inline SLUICE_ISA::iq1
