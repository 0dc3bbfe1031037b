#pragma once

// The encoder of the types whose octets name entries of a codebook of magnitudes, with signs beside
// them, and whose sub-blocks have odd multiples, 1 to 31, of the super-block's scale: IQ2_XS,
// IQ2_S, IQ3_XXS, IQ3_S.
//
// The method, for each super-block:
//
// 1. Search the codes of every octet at a few scales around the one that its sub-block is likely to
//    have, without regard to the super-block scale d. Where signs are even, which one is wrong is
//    chosen beforehand: only the last search, in step 3, tries all.
// 2. The error of given codes is a parabola in the scale. So what was found foretells the error at
//    any scale, and d is chosen from many by the lower envelopes of the parabolas.
// 3. With d known, each sub-block takes its best of the 16 multiples, codes are searched again at
//    exactly that scale, each octet takes the best of all that was found for it, and d is refitted
//    by least squares. Multiples (two steps to either side) and what octets take are chosen again
//    for this d, which is refitted.
// 4. This d is corrected for the shrinkage of least squares (bias_correction.h).

#include "codec/i_quants/magnitude_search.h"
#include "codec/rows.h"
#include "codec/super_scale.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

inline constexpr int kMultiples = 16;

template <typename Type, std::size_t kFound>
using Found = std::array<OctetCodes<Type>, kFound>;

/// A guess at each sub-block's scale: the geometric mean of the scale at which the largest weight
/// meets the largest magnitude, and of that at which a mean size, leaning to large weights, meets
/// the middle one. Best scales are nearer to it than to either of the two.
template <typename Type>
Floats likely_scale(const Octets& octets) noexcept {
  OctetFloats xx = {0, 0};
  OctetFloats sizes = {0, 0};
  Floats largest = 0;
  for (std::size_t row = 0; row < octets.x.size(); ++row) {
    const Floats size = abs(octets.x[row]);
    const Floats wx = octets.w[row] * size;
    sizes[row % kHalves] += wx;
    xx[row % kHalves] += wx * size;
    largest = max(largest, size);
  }
  if constexpr (Type::kSubBlock == 32) largest = max(largest, swap_halves(largest));
  constexpr float kMiddle = Type::kMagnitudes[Format<Type>::kLevels / 2];
  const Floats mean = sum_of_sub_blocks<Type::kSubBlock>(xx) /
                      max(sum_of_sub_blocks<Type::kSubBlock>(sizes), 0x1p-100f);
  return sqrt(mean * largest * (1 / (kMiddle * Format<Type>::kLargest)));
}

/// The super-block scale that looks best by the first `kCount` searches; 0 if nothing is better
/// than zeros.
template <typename Type, std::size_t kCount, std::size_t kFound>
float choose_scale(const Found<Type, kFound>& found) noexcept {
  Parabola parabolas[kCount];
  for (std::size_t n = 0; n < kCount; ++n) {
    parabolas[n] = parabola(sum_of_sub_blocks<Type::kSubBlock>(found[n].dot),
                            sum_of_sub_blocks<Type::kSubBlock>(found[n].norm));
  }
  // The strongest sub-block gets the largest multiple, or one a little inside or beyond it.
  constexpr ScaleTrials kTrials = {.count = 32, .lowest = 0.8f, .step = 0.6f / 31};
  const auto cost = [](const Floats& d) noexcept {
    return [twice = d * 2, inverse = Floats(0.5f) / d](const Floats& scale,
                                                       const Floats& norm) noexcept {
      const Floats place = scale * inverse - 0.5f;  // from -0.5 on, which is rounded to 0
      const Floats off = (place - round(min(place, kMultiples - 1))) * twice;
      return off * off * norm;
    };
  };
  SuperScale best;
  best.try_scales<kTrials, 256 / Type::kSubBlock>(
      parabolas, kCount, strongest_scale(parabolas) / (2 * kMultiples - 1), cost);
  return best.scale();
}

/// The error of an octet's codes at scale s, over s, but for what all codes have in common.
template <typename Type>
SLUICE_INLINE Floats error_slope(const OctetCodes<Type>& codes, std::size_t h,
                                 const Floats& s) noexcept {
  return s * codes.norm[h] - codes.dot[h] * 2;
}

/// For each sub-block the multiple of d that promises the least error, by the first `kCount`: one of
/// `tried`, from `lowest` on.
template <typename Type, std::size_t kCount, std::size_t kFound>
Floats choose_multiples(const Found<Type, kFound>& found, float d, const Floats& lowest,
                        int tried) noexcept {
  Floats best = 1;
  Floats least = 0x1p120f;
  for (int l = 0; l < tried; ++l) {
    const Floats multiple = clamp(lowest + static_cast<float>(2 * l), 1, 2 * kMultiples - 1);
    const Floats s = multiple * d;
    OctetFloats error;
    for (std::size_t h = 0; h < kHalves; ++h) {
      error[h] = error_slope(found[0], h, s);
      for (std::size_t n = 1; n < kCount; ++n)
        error[h] = min(error[h], error_slope(found[n], h, s));
    }
    const Floats sum = s * sum_of_sub_blocks<Type::kSubBlock>(error);
    best = select(sum < least, multiple, best);
    least = min(sum, least);
  }
  return best;
}

/// The best of what was found, at these multiples of d.
template <typename Type, std::size_t kFound>
void solve(const Found<Type, kFound>& found, const Floats& multiple, float d,
           Solution<Type>& solution) noexcept {
  solution.multiple = multiple;
  solution.codes = found[0];
  OctetCodes<Type>& best = solution.codes;
  const Floats s = multiple * d;
  Floats dot = 0;
  Floats norm = 0;
  for (std::size_t h = 0; h < kHalves; ++h) {
    Floats least = error_slope(best, h, s);
    for (std::size_t n = 1; n < kFound; ++n) {
      const Floats e = error_slope(found[n], h, s);
      const simd::FloatMask better = e < least;
      least = min(e, least);
      best.dot[h] = select(better, found[n].dot[h], best.dot[h]);
      best.norm[h] = select(better, found[n].norm[h], best.norm[h]);
      for (std::size_t i = 0; i < best.entry.size(); ++i) {
        best.entry[i][h] = select(better, found[n].entry[i][h], best.entry[i][h]);
      }
    }
    dot += best.dot[h] * multiple;
    norm += best.norm[h] * (multiple * multiple);
  }
  solution.dot = reduce_sum(dot);
  solution.norm = reduce_sum(norm);
}

/// What finds codes at the first scales.
template <typename Type>
using FirstSearch =
    MagnitudeSearch<Type, Type::kEvenSigns ? WrongSign::chosen : WrongSign::searched>;

template <typename Type, std::size_t kFirst>
Type encode_super_block(const float* values, const float* importance,
                        const std::array<float, kFirst>& first_scales,
                        float bias_correction) noexcept {
  Octets octets;
  load_octets<Type::kSubBlock>(values, importance, octets);
  if (octets.block_largest[0] == 0) return {};

  const Floats likely = likely_scale<Type>(octets);
  const FirstSearch<Type> search(octets, likely);
  Found<Type, kFirst + 1> found;
  for (std::size_t n = 0; n < kFirst; ++n) {
    search.nearly_nearest(likely * first_scales[n], found[n]);
  }
  const int exponent = octets.exponent[0];
  const auto to_half = [&](float d) noexcept {
    return round_scale(d * (1 / Type::kUnit), exponent);
  };
  float d = choose_scale<Type, kFirst>(found);
  if (!(d > 0)) return {};
  d = value_of_half(to_half(d), exponent) * Type::kUnit;
  Floats multiple = choose_multiples<Type, kFirst>(found, d, 1, kMultiples);
  if constexpr (Type::kEvenSigns) {
    const MagnitudeSearch<Type> last(octets);
    last.nearest(multiple * d, found[kFirst]);
  } else {
    search.nearest(multiple * d, found[kFirst]);
  }
  Solution<Type> solution;
  // The second time with the scale that the first multiples gave: it foretells less error, or as much.
  for (int times = 0; times < 2; ++times) {
    multiple = choose_multiples<Type, kFirst + 1>(found, d, multiple - 4, 5);
    solve<Type>(found, multiple, d, solution);
    if (!(solution.dot > 0)) return {};
    d = solution.dot / solution.norm;
  }
  if (!(solution.dot * d > 0)) return {};
  const float corrected = corrected_scale(d, octets.norm(), solution.dot, bias_correction);
  return make_block<Type>(octets, search, solution, {to_half(corrected), to_half(d)});
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes

namespace sluice::inline SLUICE_ISA {

/// Encodes rows. Type is the type's block, with set_octet and set_scale, kUnit (a sub-block's scale
/// is kUnit * d times its multiple), what magnitudes::Format asks for, and for each effort the
/// scales searched first, as multiples of the sub-block's likely scale: kFastScales, kBestScales.
template <typename Type>
void encode_magnitudes(const EncodeRows& rows, std::byte* out) noexcept {
  const auto encode = [&](const auto& first_scales) noexcept {
    encode_blocks<Type>(rows, out, [&](const float* values, const float* importance) noexcept {
      return magnitudes::encode_super_block<Type>(values, importance, first_scales,
                                                  rows.bias_correction);
    });
  };
  if (rows.effort == Effort::fast) {
    encode(Type::kFastScales);
  } else {
    encode(Type::kBestScales);
  }
}

}  // namespace sluice::inline SLUICE_ISA
