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
#include "codec/i_quants/iq1_choices.h"
#include "codec/i_quants/iq1_codebook.h"
#include "codec/i_quants/iq1_neon_codes.h"
#include "codec/i_quants/iq1_search.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA::iq1 {

inline constexpr float kLargestHalf = 65504.0f;

/// A group's code as the formats have it: the codebook index, and 1 in the 12th bit for shift -1/8.
inline unsigned entry_of(unsigned code) noexcept {
  return kEntryOfVector[code % kNegativeShift] | (code & kNegativeShift) >> 2;
}
inline unsigned entry_of(const Solution& solution, std::size_t group) noexcept {
  return entry_of(static_cast<unsigned>(solution.code[lane_of_group(group)]));
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
    const Solution solution = solve<Type, kFirst + 1>(found, d);
    if (!(solution.xy > 0)) break;
    d = solution.xy / solution.yy;
    if (solution.xy * d > highest) {
      highest = solution.xy * d;
      best = solution;
    }
  }
  return highest > 0;
}

/// Calls use(j, y) for the decoded values y of weight j of each group, for scale 1 and a multiple of 1.
template <typename Use>
SLUICE_INLINE void for_each_code(const Shorts& code, const Use& use) noexcept {
  const Shorts flags = flags_of(code & (kNegativeShift - 1));
  const GroupFloats shift =
      select(widen(any_bit(code, kNegativeShift)), GroupFloats(-kIq1Delta), kIq1Delta);
  for (std::size_t j = 0; j < kWidth; ++j) {
    const auto plus = widen(any_bit(flags, 1 << (2 * j)));
    const auto minus = widen(any_bit(flags, 2 << (2 * j)));
    use(j, select(plus, 1, select(minus, GroupFloats(-1), 0)) + shift);
  }
}

/// The scale to store, as an fp16, for decoded values y (at d = 1) of the solution.
inline std::uint16_t final_d(const SuperBlock& block, const Importance& importance,
                             const Solution& solution, float bias_correction) noexcept {
  GroupFloats xy = 0;
  GroupFloats qxy = 0;
  GroupFloats qyy = 0;
#if defined(SLUICE_NEON)
  sum_products(block, importance.q, solution.code, xy, qxy, qyy);
#else
  for_each_code(solution.code, [&](std::size_t j, const GroupFloats& y) noexcept {
    const GroupFloats qy = importance.q[j] * y;
    xy = xy + block.wx[j] * y;
    qxy = qxy + qy * block.groups.x[j];
    qyy = qyy + qy * y;
  });
#endif
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
