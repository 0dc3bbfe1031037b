#pragma once

// The choices of iq1_choices.h for NEON: the same, part by part, and in an order in which all that a part
// needs stays in the registers.

#if defined(SLUICE_NEON)

#include <arm_neon.h>

#include <array>
#include <cstddef>

#include "codec/i_quants/iq1_found.h"
#include "codec/i_quants/iq1_search.h"
#include "codec/super_scale.h"

namespace sluice::inline SLUICE_ISA::iq1 {

/// What uses `next` comes after what gives `done`. Left to itself, g++ begins so many steps side by side
/// that it runs out of registers.
SLUICE_INLINE void in_order(PartFloats& next, const PartFloats& done) noexcept {
  __asm__("" : "+w"(next.part[0]) : "w"(done.part[0]));
}

/// The same numbers, which are then not loaded lane by lane.
SLUICE_INLINE PartFloats in_register(PartFloats numbers) noexcept {
  __asm__("" : "+w"(numbers.part[0]));
  return numbers;
}

/// A sub-block's sums of what a choice says of its groups.
template <typename Type>
SLUICE_INLINE PartFloats sub_block_sum(const GroupFloats& values, std::size_t part) noexcept {
  return sub_block_sum<Type>(part_of(values, part) + part_of(values, part + Floats::kParts));
}

/// What super-block scales leave of errors, a lane each.
struct ScaleErrors {
  PartFloats inverse;  ///< of the step between multiples
  PartFloats square;   ///< of that step
  PartFloats error = 0;

  explicit SLUICE_INLINE ScaleErrors(const PartFloats& d) noexcept
      : inverse(PartFloats(1) / (d + d)), square((d + d) * (d + d)) {}

  /// Adds what the best of a sub-block's parabolas leaves, which are lane `lane`; gains are in all lanes.
  template <std::size_t kParabolas>
  SLUICE_INLINE void add(const PartFloats (&scale)[kParabolas], const PartFloats (&yy)[kParabolas],
                         const PartFloats (&gain)[kParabolas], std::size_t lane) noexcept {
    PartFloats least;
    for (std::size_t n = 0; n < kParabolas; ++n) {
      const PartFloats place(inverse.part[0] * scale[n].part[0][lane]);
      const PartFloats miss =
          place - truncate(lesser(place, PartFloats(kScales - 1))) - PartFloats(0.5f);
      const PartFloats yy_square(square.part[0] * yy[n].part[0][lane]);
      const PartFloats e = yy_square * (miss * miss) - gain[n];
      least = n == 0 ? e : lesser(e, least);
    }
    error += least;
  }
};

/// The super-block scale that looks best by the first `kFirst` of what was found; 0 if nothing is
/// better than zero.
template <typename Type, std::size_t kFirst, typename Found>
float choose_d(const Found& found) noexcept {
  constexpr std::size_t kParabolas = Found::kShifts * kFirst;
  constexpr std::size_t kLanes = PartFloats::kLanes;
  PartFloats scales[Floats::kParts][kParabolas];  // as Parabola has them
  PartFloats all_yy[Floats::kParts][kParabolas];
  float gains[Floats::kParts][kParabolas][kLanes];
  PartFloats strongest = 0;
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Floats::kParts; ++part) {
    PartFloats strongest_gain = 0;
    PartFloats scale = 0;
    for (std::size_t n = 0; n < kParabolas; ++n) {
      const Choice& choice = found.choice[n / kFirst][n % kFirst];
      const PartFloats xy = sub_block_sum<Type>(choice.twice_xy, part) * 0.5f;
      const PartFloats yy = sub_block_sum<Type>(choice.yy, part);
      const PartFloats wanted = greater(xy / yy, PartFloats(0));
      const PartFloats gain = wanted * xy;
      scales[part][n] = wanted;
      all_yy[part][n] = yy;
      gain.store(gains[part][n]);
      scale = select(strongest_gain < gain, wanted, scale);
      strongest_gain = greater(strongest_gain, gain);
    }
    strongest = greater(strongest, scale);
  }
  const float unit = vmaxvq_f32(strongest.part[0]) / kOddMultiples.last();
  if (unit == 0) return 0;

  const Floats d = SuperScale::factors<kScaleTrials>(0) * unit;
  ScaleErrors first(part_of(d, 0));  // named, as g++ keeps arrays in memory
  ScaleErrors second(part_of(d, 1));
  ScaleErrors third(part_of(d, 2));
  ScaleErrors fourth(part_of(d, 3));
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Floats::kParts; ++part) {
    PartFloats scale[kParabolas];
    PartFloats yy[kParabolas];
    for (std::size_t n = 0; n < kParabolas; ++n) {
      scale[n] = in_register(scales[part][n]);
      yy[n] = in_register(all_yy[part][n]);
    }
#pragma GCC unroll 4
    for (std::size_t lane = 0; lane < kLanes; lane += Type::kSubBlock / 16) {
      PartFloats gain[kParabolas];
      for (std::size_t n = 0; n < kParabolas; ++n) {
        gain[n] = PartFloats(vld1q_dup_f32(&gains[part][n][lane]));
      }
      first.add(scale, yy, gain, lane);
      in_order(second.inverse, first.error);
      second.add(scale, yy, gain, lane);
      in_order(third.inverse, second.error);
      third.add(scale, yy, gain, lane);
      in_order(fourth.inverse, third.error);
      fourth.add(scale, yy, gain, lane);
      in_order(first.inverse, fourth.error);
    }
  }
  Floats errors;
  set_part(errors, 0, first.error);
  set_part(errors, 1, second.error);
  set_part(errors, 2, third.error);
  set_part(errors, 3, fourth.error);
  SuperScale best;
  best.take(errors, d);
  return best.scale();
}

/// For each sub-block the one of the multiples of d that promises the least error by the first
/// `kFirst` choices for each shift.
template <typename Type, std::size_t kFirst, typename Found>
Floats choose_multiples(const Found& found, float d) noexcept {
  constexpr std::size_t kLanes = PartFloats::kLanes;
  constexpr Multiples kOf = Type::kMultiples;
  constexpr std::size_t kCount = kOf.count;
  static constexpr auto kMultiples = [] {
    std::array<float, kCount> all{};
    for (std::size_t i = 0; i < kCount; ++i) all[i] = Type::kMultiples[static_cast<int>(i)];
    return all;
  }();
  Floats multiples;
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Floats::kParts; ++part) {
    PartFloats scales[kCount / kLanes];
    for (std::size_t i = 0; i < kCount / kLanes; ++i) {
      scales[i] = PartFloats::load(kMultiples.data() + kLanes * i) * d;
    }
    const PartFloats step = in_register(kOf.step);
    PartFloats multiple = kOf.first;
    PartFloats best = 1;
    PartFloats lowest = 0x1p120f;
#pragma GCC unroll 16
    for (std::size_t scale = 0; scale < kCount; ++scale) {
      const auto& s = scales[scale / kLanes].part[0];
      const std::size_t lane = scale % kLanes;
      for (const auto& choice : found.choice) {
        PartFloats slope[2];  // of either half of the sub-blocks' groups
        for (std::size_t group = 0; group < 2; ++group) {
          const std::size_t at = part + group * Floats::kParts;
          for (std::size_t n = 0; n < kFirst; ++n) {
            const PartFloats next(choice[n].yy.part[at] * s[lane] - choice[n].twice_xy.part[at]);
            slope[group] = n == 0 ? next : lesser(slope[group], next);
          }
        }
        const PartFloats error(sub_block_sum<Type>(slope[0] + slope[1]).part[0] * s[lane]);
        best = select(error < lowest, multiple, best);
        lowest = lesser(lowest, error);
      }
      multiple += step;
      in_order(multiple, lowest);
      in_order(scales[(scale + 1) % kCount / kLanes], lowest);
    }
    set_part(multiples, part, best);
  }
  return multiples;
}

/// The best of the choices of each group at its scale; gives their error, over the scale.
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

}  // namespace sluice::inline SLUICE_ISA::iq1

#endif
