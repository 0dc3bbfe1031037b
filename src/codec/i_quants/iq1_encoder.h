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
#include "codec/i_quants/iq1_codebook.h"
#include "codec/i_quants/iq1_search.h"
#include "codec/super_scale.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA::iq1 {

inline constexpr int kScales = 8;  // of a sub-block

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

/// A group's code as the formats have it: the codebook index, and 1 in the 12th bit for shift -1/8.
inline unsigned entry_of(unsigned code) noexcept {
  return kEntryOfVector[code % kNegativeShift] | (code & kNegativeShift) >> 2;
}
inline unsigned entry_of(const Solution& solution, std::size_t group) noexcept {
  return entry_of(static_cast<unsigned>(solution.code[lane_of_group(group)]));
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

/// Codes, shifts and multiples; false if zeros are as good.
template <typename Type, typename Settings>
bool fit(const SuperBlock& block, Solution& best) noexcept {
  constexpr std::size_t kFirst = Settings::kFirstScales.size();
  Floats likely = block.likely_scale;
  if constexpr (Type::kSubBlock == 32) likely = (likely + swap_neighbours(likely)) * 0.5f;
  Found<Type, kFirst + 1> found;
  for (std::size_t n = 0; n < kFirst; ++n) {
    search_into<Settings::kSets>(block.groups, likely * Settings::kFirstScales[n], found, n);
  }
  float d = choose_d<Type, kFirst>(found);
  if (!(d > 0)) return false;
  search_into<Settings::kSets>(block.groups, choose_multiples<Type, kFirst>(found, d) * d, found,
                               kFirst);
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
  const Shorts flags = flags_of(solution.code & (kNegativeShift - 1));
  const GroupFloats shift =
      select(widen(any_bit(solution.code, kNegativeShift)), GroupFloats(-kIq1Delta), kIq1Delta);
  GroupFloats xy = 0;
  GroupFloats qxy = 0;
  GroupFloats qyy = 0;
  for (std::size_t j = 0; j < kWidth; ++j) {
    const auto plus = widen(any_bit(flags, 1 << (2 * j)));
    const auto minus = widen(any_bit(flags, 2 << (2 * j)));
    const GroupFloats y = select(plus, 1, select(minus, GroupFloats(-1), 0)) + shift;
    const GroupFloats qy = importance.q[j] * y;
    xy = xy + block.wx[j] * y;
    qxy = qxy + qy * block.groups.x[j];
    qyy = qyy + qy * y;
  }
  const Floats multiple = solution.multiple;
  const float sum_xy = reduce_sum(pair_sum(xy) * multiple);
  const float least_squares = sum_xy / solution.yy;
  const float unbiased = block.xx / sum_xy;
  const float wanted =
      least_squares * correct_bias(unbiased / least_squares, bias_correction) * block.unit;
  const std::uint16_t wanted_half = f32_to_f16(wanted < kLargestHalf ? wanted : kLargestHalf);
  // Under the plain importance q, the error is below that of zeros up to twice the best scale. The
  // wanted scale leaves that range only where the codes say next to nothing about the values; then
  // the best scale under q it is, or zero.
  const float yy = reduce_sum(pair_sum(qyy) * (multiple * multiple));
  if (!(yy > 0)) return wanted_half;  // no column has any importance
  const float best = reduce_sum(pair_sum(qxy) * multiple) / yy * block.unit;
  if (f16_to_f32(wanted_half) <= 1.999f * best) return wanted_half;
  return f32_to_f16(best < 0 ? 0.0f : best < kLargestHalf ? best : kLargestHalf);
}

template <typename Type, typename Settings>
typename Type::Block encode_super_block(const float* x, const Importance& importance,
                                        float bias_correction) noexcept {
  Solution solution;
  solution.code = kZeroVector;
  solution.multiple = 1;
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
inline constexpr std::size_t kTogether = 8;
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
  for (std::size_t first = 0; first < row_blocks; first += kTogether) {
    const std::size_t columns = row_blocks - first < kTogether ? row_blocks - first : kTogether;
    Importance importance[kTogether];
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

}  // namespace sluice::inline SLUICE_ISA::iq1
