#pragma once

// The encoder of IQ1_M and IQ1_S: vectors of the ternary codebook with a shift of +-1/8, and
// sub-blocks that have odd multiples, 1 to 15, of the super-block's scale.
//
// The method, for each super-block:
//
// 1. Weigh errors by w = (q + mean q / 5) * sqrt(6 mean x^2 + x^2), means over the super-block. Pull
//    request #327 of ik_llama.cpp has q * sqrt(1.5 mean x^2 + x^2), the mean over 32 weights.
// 2. Search codes and shifts of every group at a few scales around the one that its sub-block is
//    likely to have, without regard to the super-block scale d.
// 3. The error of a given code and shift is a parabola in the scale. So what was found foretells
//    the error at any scale, and d is chosen from many by the lower envelopes of the parabolas.
// 4. With d known, each sub-block takes its best of the 8 scales, codes and shifts are searched
//    again at exactly that scale, each group takes the best of all that was found for it, and d is
//    refitted by least squares; `best` does so once more for that d.
// 5. Least squares shrinks: it leaves decoded values too small on average along the true ones, and
//    shrinkage adds up over a model's layers while noise averages out. So the stored d is the one
//    that makes them unbiased, sum w x^2 / sum w x y, or nearly so (codec/bias_correction.h).
//    Codes belong to the least-squares scale; this comes last.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "codec/bias_correction.h"
#include "codec/iq1_m/group_search.h"
#include "codec/iq1_m/lanes.h"
#include "codec/iq1_m/lookups.h"
#include "codec/iq1_m/super_block.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA::iq1_m {

inline constexpr std::size_t kElements = 256;
inline constexpr int kScales = 8;  // of a sub-block

/// Super-block scales compared, as multiples of the one that gives the largest sub-block scale to
/// the largest of the 8: outside of this range the error is hardly ever smaller.
inline constexpr std::size_t kTrials = kFloats;
inline constexpr float kFirstTrial = 0.6f;
inline constexpr float kTrialStep = 0.045f;

inline constexpr float kLargestHalf = 65504.0f;

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
    search_shifts<kSets>(groups, {scale, scale}, found.choice[0][n], found.choice[1][n]);
  } else {
    search<kSets>(groups, {scale, scale}, found.choice[0][n]);
  }
}

/// The sum over each sub-block, in each of its lanes.
template <typename Type>
Floats sub_block_sum(const Halves& values) noexcept {
  static_assert(Type::kSubBlock == 16 || Type::kSubBlock == 32);
  const Floats pairs = pair_sum(values);
  if constexpr (Type::kSubBlock == 16) {
    return pairs;
  } else {
    return pairs + swap_neighbours(pairs);
  }
}

/// A lane's code as the formats have it: the codebook index, and 1 in the 12th bit for shift -1/8.
inline unsigned entry_of(unsigned code) noexcept {
  return kEntryOfVector[code % kNegativeShift] | (code & kNegativeShift) >> 2;
}

/// The super-block scale that looks best by the first `kFirst` of what was found; 0 if nothing is
/// better than zero.
template <typename Type, std::size_t kFirst, typename Found>
float choose_d(const Found& found) noexcept {
  constexpr std::size_t kCount = Found::kShifts * kFirst;
  float best_scale[kCount][kFloats];  // of each parabola
  float gain[kCount][kFloats];
  float curvature[kCount][kFloats];
  Floats highest = all(0);
  Floats scale = all(0);
  for (std::size_t n = 0; n < kCount; ++n) {
    const Choice& choice = found.choice[n / kFirst][n % kFirst];
    const Floats xy = sub_block_sum<Type>(choice.twice_xy) * all(0.5f);
    const Floats yy = sub_block_sum<Type>(choice.yy);
    const Floats best = most(xy / yy, all(0));
    const Floats most_gain = xy * best;
    scale = select(highest < most_gain, best, scale);
    highest = most(highest, most_gain);
    store(best, best_scale[n]);
    store(most_gain, gain[n]);
    store(yy, curvature[n]);
  }
  const float widest = largest(scale) / (2 * kScales - 1);
  if (!(widest > 0)) return 0;

  float trials[kTrials];
  for (std::size_t t = 0; t < kTrials; ++t) {
    trials[t] = widest * (kFirstTrial + kTrialStep * static_cast<float>(t));
  }
  const Floats step = load(trials) + load(trials);
  const Floats inverse = all(1) / step;
  const Floats square = step * step;
  Floats error = all(0);
  for (std::size_t b = 0; b < kFloats; b += Type::kSubBlock / 16) {
    Floats lowest;
    for (std::size_t n = 0; n < kCount; ++n) {
      // The odd multiple of d next to the parabola's lowest point.
      const Floats place = all(best_scale[n][b]) * inverse;
      const Floats below = truncate(least(place, all(kScales - 1)));
      const Floats miss = place - below - all(0.5f);
      const Floats e = all(curvature[n][b]) * square * (miss * miss) - all(gain[n][b]);
      lowest = n == 0 ? e : least(lowest, e);
    }
    error = error + lowest;
  }
  return trials[place_of_least(error)];
}

/// The error of a choice at scale s, over s, but for what all choices have in common.
inline Floats error_slope(const Choice& choice, std::size_t h, const Floats& s) noexcept {
  return s * choice.yy.half[h] - choice.twice_xy.half[h];
}

/// The least of what the first `kFirst` choices for a shift promise, over the scale.
template <std::size_t kFirst>
Halves least_slopes(const Choice* choice, const Floats& s) noexcept {
  Halves error{error_slope(choice[0], 0, s), error_slope(choice[0], 1, s)};
  for (std::size_t n = 1; n < kFirst; ++n) {
    for (std::size_t h = 0; h < 2; ++h) {
      error.half[h] = least(error.half[h], error_slope(choice[n], h, s));
    }
  }
  return error;
}

/// For each sub-block the one of the 8 multiples of d that promises the least error.
template <typename Type, std::size_t kFirst, typename Found>
Floats choose_multiples(const Found& found, float d) noexcept {
  Floats best = all(1);
  Floats lowest = all(0x1p120f);
  for (int scale = 0; scale < kScales; ++scale) {
    const float multiple = static_cast<float>(2 * scale + 1);
    const Floats s = all(d * multiple);
    for (const auto& choice : found.choice) {
      const Floats error = s * sub_block_sum<Type>(least_slopes<kFirst>(choice, s));
      best = select(error < lowest, all(multiple), best);
      lowest = least(lowest, error);
    }
  }
  return best;
}

/// The best of the choices of each group at its scale; gives their error, over the scale.
template <std::size_t kCount>
Halves best_of(const Choice* choice, const Floats& s, Choice& best) noexcept {
  best = choice[0];
  Halves lowest{error_slope(best, 0, s), error_slope(best, 1, s)};
  for (std::size_t n = 1; n < kCount; ++n) {
    FloatMask better[2];
    for (std::size_t h = 0; h < 2; ++h) {
      const Floats e = error_slope(choice[n], h, s);
      better[h] = e < lowest.half[h];
      best.twice_xy.half[h] = select(better[h], choice[n].twice_xy.half[h], best.twice_xy.half[h]);
      best.yy.half[h] = select(better[h], choice[n].yy.half[h], best.yy.half[h]);
      lowest.half[h] = least(lowest.half[h], e);
    }
    best.code = select(join(better[0], better[1]), choice[n].code, best.code);
  }
  return lowest;
}

/// The best of all that was found for super-block scale d.
template <typename Type, typename Found>
Solution solve(const Found& found, float d) noexcept {
  Solution solution;
  solution.multiple = choose_multiples<Type, Found::kCount>(found, d);
  const Floats s = solution.multiple * all(d);
  Choice best;
  const Halves error = best_of<Found::kCount>(found.choice[0], s, best);
  if constexpr (Found::kShifts == 2) {
    Choice other;
    const Halves other_error = best_of<Found::kCount>(found.choice[1], s, other);
    const FloatMask better = sub_block_sum<Type>(other_error) < sub_block_sum<Type>(error);
    for (std::size_t h = 0; h < 2; ++h) {
      best.twice_xy.half[h] = select(better, other.twice_xy.half[h], best.twice_xy.half[h]);
      best.yy.half[h] = select(better, other.yy.half[h], best.yy.half[h]);
    }
    best.code = select(join(better, better), other.code, best.code);
  }
  solution.code = best.code;
  solution.xy = 0.5f * sum(pair_sum(best.twice_xy) * solution.multiple);
  solution.yy = sum(pair_sum(best.yy) * (solution.multiple * solution.multiple));
  return solution;
}

/// Codes, shifts and multiples; false if zeros are as good.
template <typename Type, typename Settings>
bool fit(const SuperBlock& block, Solution& best) noexcept {
  constexpr std::size_t kFirst = Settings::kFirstScales.size();
  Floats likely = block.likely_scale;
  if constexpr (Type::kSubBlock == 32) likely = (likely + swap_neighbours(likely)) * all(0.5f);
  Found<Type, kFirst + 1> found;
  for (std::size_t n = 0; n < kFirst; ++n) {
    search_into<Settings::kSets>(block.groups, likely * all(Settings::kFirstScales[n]), found, n);
  }
  float d = choose_d<Type, kFirst>(found);
  if (!(d > 0)) return false;
  search_into<Settings::kSets>(block.groups, choose_multiples<Type, kFirst>(found, d) * all(d),
                               found, kFirst);
  float highest = 0;
  for (int refit = 0; refit < Settings::kRefits; ++refit) {
    const Solution solution = solve<Type>(found, d);
    if (!(solution.xy > 0)) break;
    d = solution.xy / solution.yy;
    if (solution.xy * d > highest) {
      highest = solution.xy * d;
      best = solution;
    }
  }
  return highest > 0;
}

/// The scale to store, as an fp16, for decoded values y (at d = 1) of the solution.
inline std::uint16_t final_d(const SuperBlock& block, const Importance& importance,
                             const Solution& solution, float bias_correction) noexcept {
  const Shorts flags = flags_of(solution.code & shorts(kNegativeShift - 1));
  const LaneMask shifted_down = any_bit(solution.code, kNegativeShift);
  Halves shift;
  for (std::size_t h = 0; h < 2; ++h) {
    shift.half[h] = select(half(shifted_down, h), all(-kIq1Delta), all(kIq1Delta));
  }
  Halves xy{all(0), all(0)};
  Halves qxy = xy;
  Halves qyy = xy;
  for (std::size_t j = 0; j < kWidth; ++j) {
    const LaneMask plus = any_bit(flags, 1 << (2 * j));
    const LaneMask minus = any_bit(flags, 2 << (2 * j));
    for (std::size_t h = 0; h < 2; ++h) {
      const Floats code = select(half(plus, h), all(1), select(half(minus, h), all(-1), all(0)));
      const Floats y = code + shift.half[h];
      const Floats qy = importance.q[j].half[h] * y;
      xy.half[h] = xy.half[h] + block.wx[j].half[h] * y;
      qxy.half[h] = qxy.half[h] + qy * block.groups.x[j].half[h];
      qyy.half[h] = qyy.half[h] + qy * y;
    }
  }
  const Floats multiple = solution.multiple;
  const float sum_xy = sum(pair_sum(xy) * multiple);
  const float least_squares = sum_xy / solution.yy;
  const float unbiased = block.xx / sum_xy;
  const float wanted =
      least_squares * correct_bias(unbiased / least_squares, bias_correction) * block.unit;
  const std::uint16_t wanted_half = f32_to_f16(wanted < kLargestHalf ? wanted : kLargestHalf);
  // Under the plain importance q, the error is below that of zeros up to twice the best scale. The
  // wanted scale leaves that range only where the codes say next to nothing about the values; then
  // the best scale under q it is, or zero.
  const float yy = sum(pair_sum(qyy) * (multiple * multiple));
  if (!(yy > 0)) return wanted_half;  // no column has any importance
  const float best = sum(pair_sum(qxy) * multiple) / yy * block.unit;
  if (f16_to_f32(wanted_half) <= 1.999f * best) return wanted_half;
  return f32_to_f16(best < 0 ? 0.0f : best < kLargestHalf ? best : kLargestHalf);
}

template <typename Type, typename Settings>
typename Type::Block encode_super_block(const float* x, const Importance& importance,
                                        float bias_correction) noexcept {
  Solution solution;
  solution.code = shorts(kZeroVector);
  solution.multiple = all(1);
  SuperBlock block;
  load_values(x, importance, block);
  std::uint16_t d = 0;
  if (block.unit > 0 && fit<Type, Settings>(block, solution)) {
    d = final_d(block, importance, solution, bias_correction);
  }
  return Type::block(solution, d);
}

/// Super-blocks side by side whose importance is made ready once for all rows. Few, so that it
/// stays in the nearest cache; not one, so that values are read in runs that the processor
/// foresees.
inline constexpr std::size_t kColumns = 8;
inline constexpr std::size_t kCacheLine = 64;

/// Asks for a super-block's values ahead of their use.
inline void prefetch(const float* x) noexcept {
  for (std::size_t i = 0; i < kElements; i += kCacheLine / sizeof(float)) {
    __builtin_prefetch(x + i);
  }
}

template <typename Type, typename Settings>
void encode_rows(const EncodeRows& rows, std::byte* out) noexcept {
  using Block = typename Type::Block;
  const std::size_t row_blocks = rows.row_elements / kElements;
  for (std::size_t first = 0; first < row_blocks; first += kColumns) {
    const std::size_t columns = row_blocks - first < kColumns ? row_blocks - first : kColumns;
    Importance importance[kColumns];
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t start = (first + c) * kElements;
      load_importance(rows.importance == nullptr ? nullptr : rows.importance + start,
                      importance[c]);
    }
    for (std::size_t row = 0; row < rows.rows; ++row) {
      const float* x = rows.values + row * rows.row_elements + first * kElements;
      std::byte* blocks = out + (row * row_blocks + first) * sizeof(Block);
      for (std::size_t c = 0; c < columns; ++c, x += kElements, blocks += sizeof(Block)) {
        if (c + 1 < columns) {
          prefetch(x + kElements);
        } else if (row + 1 < rows.rows) {
          prefetch(x - c * kElements + rows.row_elements);
        }
        const Block block =
            encode_super_block<Type, Settings>(x, importance[c], rows.bias_correction);
        std::memcpy(blocks, &block, sizeof(block));
      }
    }
  }
}

/// Encodes rows. `Type` has the Block, kSubBlock (weights to a scale), kSharedShift (whether all
/// groups of a sub-block have one shift), and what Best and Fast pay for.
template <typename Type>
void encode(const EncodeRows& rows, std::byte* out) noexcept {
  if (rows.effort == Effort::fast) {
    encode_rows<Type, typename Type::Fast>(rows, out);
  } else {
    encode_rows<Type, typename Type::Best>(rows, out);
  }
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
